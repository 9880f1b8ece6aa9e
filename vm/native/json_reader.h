// Reading a JSON document in pieces: Boost.JSON's push parser says what comes, terms are built
// here.
//
// The parser keeps open arrays and objects on the C++ stack and, between two pieces, on one of its
// own. So that neither grows with the document, it never sees more than kWindow levels. At the
// next one a new parser begins, as if the inner value were all; when that is complete, another one
// is brought to where its surroundings were left: it reads `[{"":[""` for what is open there and
// goes on behind.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "vm/native/json_error.h"
#include "vm/native/json_values.h"
#include "vm/native/slices.h"

namespace quelea {

/// `roots` is the stack of values whose array or object is still open; at the end it is the value.
class JsonReader final : public NativeState {
 public:
  static constexpr std::int64_t kMaxDepth = 1'000'000;
  JsonKeys keys = JsonKeys::Strings;
  std::int64_t max_depth = 512;

  JsonReader();
  ~JsonReader() override;

  /// Goes on for up to `size` bytes more of the document, which starts at a byte. False: it is
  /// complete, or `error` says what is wrong with it.
  bool read(Process& p, Term document, std::size_t size);
  std::size_t at() const { return at_; }

  std::optional<JsonError> error;
  /// The next thing is for the pool, and `read` goes on there.
  bool for_pool = false;
  /// That is not wrong with the document: there is no room for one of its keys or strings.
  bool lacks_room = false;

 private:
  struct Events;
  struct Parser;
  struct Frame {
    std::size_t base;  ///< Its first value on the stack.
    bool is_object;
  };

  bool read_until(std::string_view text, std::size_t stop);
  bool read_rest(std::string_view text, std::size_t stop);
  void begin_window(std::size_t base);
  bool mend(std::string_view text, int code);
  bool refuse(std::string_view text, const char* message);

  void open(bool is_object) { frames_.push_back({roots.size(), is_object}); }
  void keep(Term value);
  void close();
  bool close_here();
  void close_again();
  void go_on_behind_value();
  bool number(std::string_view piece);
  bool number_again(std::string_view text);
  void part(std::string_view piece);
  void append(std::string_view piece);
  std::string_view whole(std::string_view last, std::size_t size);
  bool key(std::string_view last, std::size_t size);
  bool string(std::string_view last, std::size_t size);
  void value_ends_at(std::size_t at, char token) { known_ = {at, token}; }

  std::unique_ptr<Parser> parser_;
  std::vector<Frame> frames_;
  std::size_t window_ = 0;  ///< How many of the frames are outside of what the parser sees.
  std::size_t at_ = 0;
  bool complete_ = false;
  bool closes_ = false;  ///< What is for the pool is the end of an array or object.
  bool muted_ = false;   ///< The parser is being brought to where it goes on.
  const char* refused_ = nullptr;
  JsonTokens::Place known_;  ///< Behind some value that was read.

  // The pieces of a string or number that are there already. They lie in the document one behind
  // the other, from part_start_ on, or, as soon as one does not, in scratch_.
  static constexpr const char* kNoRoom = "no room for a text";
  static constexpr std::size_t kNoPart = std::string_view::npos;
  std::size_t part_start_ = kNoPart;
  std::size_t part_size_ = 0;
  TextOut scratch_;
  Term collected_ = Term::none();  ///< What was in scratch_, as long as nobody has looked at it.

  JsonValues* values_ = nullptr;  ///< Of this slice.
};

}  // namespace quelea
