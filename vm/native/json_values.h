// Terms for the values of a JSON document.
//
// Two caches make the usual document, a list of like objects, cheap: keys seen before are the same
// term, and objects with the same keys in the same order share one tuple of keys. They last for a
// slice, because terms may move between slices.
#pragma once

#include <span>

#include "vm/native/support.h"

namespace quelea {

enum class JsonKeys { Strings, Atoms, ExistingAtoms };

class JsonValues {
 public:
  JsonValues(Process& p, Term document, JsonKeys keys)
      : p_(p), document_(document), text_(binary_view(document).text()), keys_(keys) {
    for (Term& key : key_cache_) key = Term::none();
  }

  Process& process() const { return p_; }
  std::string_view text() const { return text_; }

  /// None: keys are to be existing atoms, and this is none; or there is no room for one more.
  Term key(std::string_view text);
  /// `text` is a part of the document, or not (it had escapes). None: there is no room for it.
  Term string(std::string_view text);
  /// Where a piece of text begins in the document; npos where it is no part of it.
  std::size_t offset_of(std::string_view piece) const {
    const auto start = reinterpret_cast<std::uintptr_t>(text_.data());
    const auto at = reinterpret_cast<std::uintptr_t>(piece.data());
    return at >= start && at <= start + text_.size() ? at - start : std::string_view::npos;
  }
  /// Any number as JSON writes it. None: no float is as large.
  Term number(std::string_view text);
  Term list(std::span<const Term> elements);
  /// Key, value, key, value, …; the last of equal keys wins.
  Term object(std::span<Term> pairs);

 private:
  static constexpr std::size_t kKeys = 256;
  static constexpr std::size_t kShapes = 16;

  /// Keys of an object in the order in which they came, and how their values go into a map with
  /// these keys.
  struct Shape {
    std::size_t count = 0;
    Word keys[kMaxFlatMap];
    Term tuple = Term::none();
    std::uint8_t place[kMaxFlatMap];  ///< Which value stands at each place of the tuple.
  };

  Process& p_;
  Term document_;
  std::string_view text_;
  JsonKeys keys_;
  Term key_cache_[kKeys];
  Shape shapes_[kShapes];
};

}  // namespace quelea
