// What is wrong with a text that is no JSON, in words, and where.
#pragma once

#include <cstddef>
#include <string_view>

namespace quelea {

struct JsonError {
  std::string_view message;  ///< A literal.
  std::size_t at = 0;        ///< Byte of the document.
};

/// The tokens of a document from the end of a known one up to some byte, before which it is right.
class JsonTokens {
 public:
  /// A place between tokens, and the first byte of the token in front of it (zero: none).
  struct Place {
    std::size_t at = 0;
    char token = 0;
  };
  JsonTokens(std::string_view text, Place from, std::size_t end);

  char last = 0;          ///< First byte of the last token; zero: there is none.
  char before_last = 0;   ///< Of the one in front of it, where that is known.
  std::size_t start = 0;  ///< Of the last token, where that is known.
  std::size_t escape = std::string_view::npos;         ///< The last one in it, if it is a string.
  std::size_t escape_before = std::string_view::npos;  ///< The one in front of that.
  bool is_open = false;                                ///< It would have to go on.
};

/// `at` is where the parser stopped; `in_list` or `in_object` is what is open there.
JsonError explain_json(std::string_view text, JsonTokens::Place from, std::size_t at, bool in_list,
                       bool in_object);

/// The end of the number at `at`; `is_open` when it would have to go on.
std::size_t json_number_end(std::string_view text, std::size_t at, bool& is_open);

}  // namespace quelea
