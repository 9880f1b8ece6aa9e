#include "compiler/core/receive_hints.h"

#include <algorithm>

namespace quelea::compiler {

namespace {

// More tags than this are not worth a comparison each.
constexpr size_t kMaxTags = 16;

const Pat* without_name(const Pat* pat) {
  while (pat != nullptr && pat->kind == PatKind::kAs) pat = pat->parts[0];
  return pat;
}

// Adds the immediates that `pat` is one of; false where it may be something else.
bool add_constants(const Pat* pat, const ConstTable& consts, std::vector<ConstId>& tags) {
  pat = without_name(pat);
  if (pat == nullptr) return false;
  if (pat->kind == PatKind::kAlt) {
    return std::all_of(pat->parts.begin(), pat->parts.end(),
                       [&](const Pat* part) { return add_constants(part, consts, tags); });
  }
  if (pat->kind != PatKind::kConst || !consts.is_immediate(pat->low)) return false;
  if (std::find(tags.begin(), tags.end(), pat->low) == tags.end()) tags.push_back(pat->low);
  return tags.size() <= kMaxTags;
}

bool add_tags(const Pat* pat, const ConstTable& consts, std::vector<ConstId>& tags) {
  pat = without_name(pat);
  if (pat == nullptr) return false;
  if (pat->kind == PatKind::kAlt) {
    return std::all_of(pat->parts.begin(), pat->parts.end(),
                       [&](const Pat* part) { return add_tags(part, consts, tags); });
  }
  if (pat->kind == PatKind::kTuple && !pat->parts.empty()) {
    return add_constants(pat->parts[0], consts, tags);
  }
  return add_constants(pat, consts, tags);
}

// The pinned values that every value matched by `pat` contains.
void add_pins(const Pat* pat, std::vector<Ref>& pins) {
  pat = without_name(pat);
  if (pat == nullptr) return;
  switch (pat->kind) {
    case PatKind::kEqual:
      pins.push_back(pat->ref);
      break;
    case PatKind::kTuple:
    case PatKind::kCons:
      for (const Pat* part : pat->parts) add_pins(part, pins);
      break;
    case PatKind::kMap:
      for (const PatField& field : pat->fields) add_pins(field.value, pins);
      break;
    default:
      break;  // Of alternatives none is certain.
  }
}

}  // namespace

ReceiveHints receive_hints(std::span<const Pat* const> arms, const ConstTable& consts) {
  ReceiveHints hints;
  const bool tagged = std::all_of(
      arms.begin(), arms.end(), [&](const Pat* arm) { return add_tags(arm, consts, hints.tags); });
  if (!tagged) hints.tags.clear();
  std::vector<Ref> common;
  for (size_t i = 0; i < arms.size(); ++i) {
    std::vector<Ref> pins;
    add_pins(arms[i], pins);
    if (i == 0) common = pins;
    std::erase_if(common,
                  [&](Ref pin) { return std::find(pins.begin(), pins.end(), pin) == pins.end(); });
  }
  if (!common.empty()) hints.reference = common.front();
  return hints;
}

}  // namespace quelea::compiler
