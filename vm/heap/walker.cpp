#include "vm/heap/walker.h"

#include <algorithm>
#include <cstdio>

namespace quelea {

std::string HeapWalker::check() {
  ranges_.push_back({heap_.block_, heap_.block_top(), false, true});
  for (Fragment* f = heap_.fragments_; f != nullptr; f = f->next) {
    ranges_.push_back({f->start(), f->top(), false, true});
  }
  if (heap_.old_ != nullptr) {
    add_old(heap_.old_->segments, heap_.old_->fragments, true);
    // What is dead in pieces that are not swept yet may refer to what is gone.
    if (const Marking* marking = heap_.old_->marking) {
      add_old(marking->segments(), marking->fragments(), !marking->is_sweeping());
    }
  }
  std::sort(ranges_.begin(), ranges_.end(),
            [](const Range& a, const Range& b) { return a.begin < b.begin; });
  for (const Range& range : ranges_) {
    if (range.checked) check_range(range);
  }
  return error_;
}

void HeapWalker::add_old(Segment* segments, Fragment* fragments, bool checked) {
  for (Segment* s = segments; s != nullptr; s = s->next) {
    ranges_.push_back({s->start(), s->limit, true, checked});
  }
  for (Fragment* f = fragments; f != nullptr; f = f->next) {
    ranges_.push_back({f->start(), f->top(), true, checked});
  }
}

void HeapWalker::fail(const char* what, const Word* at) {
  if (!error_.empty()) return;
  char text[160];
  std::snprintf(text, sizeof text, "%s at %p: %016llx", what, static_cast<const void*>(at),
                static_cast<unsigned long long>(*at));
  error_ = text;
}

const HeapWalker::Range* HeapWalker::range_of(const Word* object) const {
  auto after = std::upper_bound(ranges_.begin(), ranges_.end(), object,
                                [](const Word* o, const Range& r) { return o < r.begin; });
  while (after != ranges_.begin()) {
    --after;
    if (object < after->end) return &*after;
    if (after->begin != after->end) return nullptr;
  }
  return nullptr;
}

void HeapWalker::check_reference(const Range& from, const Word* at, Term term) {
  const Word* object = term.pointer();
  if (object >= foreign_.literals_begin && object < foreign_.literals_end) return;
  if (object >= foreign_.message_begin && object < foreign_.message_end) return;
  const Range* to = range_of(object);
  if (to == nullptr) return fail("a reference out of the heap", at);
  if (from.old && !to->old) return fail("an old object refers to a young one", at);
  const bool header = Term{*object}.tag() == Tag::Header;
  if (header && Header{*object}.kind() == Kind::Hole) return fail("a reference to a hole", at);
  if (term.is_cons() == header) return fail("a reference to something of another shape", at);
  if (term.is_float() && Header{*object}.kind() != Kind::Float) fail("a float that is none", at);
}

void HeapWalker::check_range(const Range& range) {
  for (const Word* at = range.begin; at < range.end;) {
    const Term word{*at};
    if (word.tag() == Tag::Header) {
      const Header header{word.bits};
      const auto left = static_cast<std::size_t>(range.end - at) - 1;
      if (header.payload_words() > left) return fail("an object past the end of its memory", at);
      at += is_raw_kind(header.kind()) ? 1 + header.payload_words() : 1;
      continue;
    }
    if (word.is_pointer()) check_reference(range, at, word);
    ++at;
  }
}

}  // namespace quelea
