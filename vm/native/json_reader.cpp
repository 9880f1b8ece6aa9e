#include "vm/native/json_reader.h"

// Of Boost.JSON only the parser, compiled in here.
#define BOOST_JSON_STACK_BUFFER_SIZE 1024  // for a string with escapes
#define BOOST_JSON_NO_LIB
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/detail/impl/default_resource.ipp>
#include <boost/json/detail/impl/shared_resource.ipp>
#include <boost/json/detail/impl/stack.ipp>
#include <boost/json/impl/error.ipp>

#include "vm/base/memory.h"
#include "vm/native/pool.h"
#include "vm/term/integer.h"

namespace quelea {
namespace {

constexpr std::size_t kWindow = 256;

using Code = boost::json::error_code;
using Text = boost::json::string_view;

std::string_view view(Text text) { return {text.data(), text.size()}; }

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/// A piece that ends between two code points costs nothing; other ends cost a copy of the string.
std::size_t piece_end(std::string_view text, std::size_t at, std::size_t end) {
  std::size_t better = end;
  while (end < text.size() && better > at + 1 && end - better < 4 &&
         (static_cast<std::uint8_t>(text[better]) & 0xC0) == 0x80) {
    --better;
  }
  return better;
}

}  // namespace

/// What the parser tells; it stops where one of these is false.
struct JsonReader::Events {
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_object_size = max_array_size;
  static constexpr std::size_t max_string_size = max_array_size;
  static constexpr std::size_t max_key_size = max_array_size;

  explicit Events(JsonReader& r) : reader(r) {}
  JsonReader& reader;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_array_begin(Code&) { return open(false); }
  bool on_object_begin(Code&) { return open(true); }
  bool on_array_end(std::size_t, Code& code) { return good(reader.close_here(), code); }
  bool on_object_end(std::size_t, Code& code) { return good(reader.close_here(), code); }
  bool on_key_part(Text piece, std::size_t, Code&) { return part(piece); }
  bool on_string_part(Text piece, std::size_t, Code&) { return part(piece); }
  bool on_number_part(Text piece, Code&) { return part(piece); }
  bool on_key(Text last, std::size_t size, Code& code) {
    return reader.muted_ || good(reader.key(view(last), size), code);
  }
  bool on_string(Text last, std::size_t size, Code& code) {
    return reader.muted_ || good(reader.string(view(last), size), code);
  }
  bool on_int64(std::int64_t value, Text last, Code&) {
    const std::size_t end = reader.values_->offset_of(view(last)) + last.size();
    reader.part_start_ = kNoPart;
    reader.value_ends_at(end, '0');
    reader.keep(make_integer(reader.values_->process(), value));
    return true;
  }
  bool on_uint64(std::uint64_t, Text last, Code& code) { return on_double(0, last, code); }
  bool on_double(double, Text last, Code& code) { return good(reader.number(view(last)), code); }
  bool on_bool(bool value, Code&) { return push(make_bool(value)); }
  bool on_null(Code&) { return push(atoms::nil); }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }

 private:
  bool open(bool is_object) {
    if (!reader.muted_) reader.open(is_object);
    return true;
  }
  bool part(Text piece) {
    reader.part(view(piece));
    return true;
  }
  bool push(Term value) {
    reader.keep(value);
    return true;
  }
  static bool good(bool is_good, Code& code) {
    if (!is_good) code = boost::json::error::syntax;
    return is_good;
  }
};

struct JsonReader::Parser : boost::json::basic_parser<Events> {
  using basic_parser::basic_parser;
};

JsonReader::JsonReader() = default;
JsonReader::~JsonReader() = default;

bool JsonReader::read(Process& p, Term document, std::size_t size) {
  JsonValues values(p, document, keys);
  values_ = &values;
  if (parser_ == nullptr) begin_window(0);
  const std::string_view text = values.text();
  if (std::exchange(for_pool, false)) {
    if (std::exchange(closes_, false)) {
      close_again();
    } else if (!number_again(text)) {
      return false;
    }
  }
  return read_until(text, piece_end(text, at_, at_ + std::min(size, text.size() - at_)));
}

bool JsonReader::read_until(std::string_view text, std::size_t stop) {
  while (!complete_) {
    Code code;
    at_ += parser_->write_some(stop < text.size(), text.data() + at_, stop - at_, code);
    if (code) {
      if (!mend(text, code.value())) return false;
    } else if (parser_->done()) {
      complete_ = window_ == 0;
      if (!complete_) begin_window(window_ - std::min(window_, kWindow / 2));
    } else if (at_ >= stop) {
      return true;
    }
  }
  return read_rest(text, stop);
}

/// Behind the value nothing follows but space.
bool JsonReader::read_rest(std::string_view text, std::size_t stop) {
  while (at_ < stop && is_space(text[at_])) ++at_;
  if (at_ < stop) error = explain_json(text, known_, at_, false, false);
  return at_ < text.size() && !error;
}

/// A parser that sees the frames from `base` on, in front of a value or, where there are any,
/// behind one.
void JsonReader::begin_window(std::size_t base) {
  boost::json::parse_options options;
  options.max_depth = std::min(kWindow, static_cast<std::size_t>(max_depth) - base);
  parser_ = std::make_unique<Parser>(options, *this);
  window_ = base;
  if (base == frames_.size()) return;
  std::string before;
  for (std::size_t i = base; i < frames_.size(); ++i)
    before += frames_[i].is_object ? R"({"":)" : "[";
  before += R"("")";
  muted_ = true;
  Code code;
  parser_->write_some(true, before.data(), before.size(), code);
  muted_ = false;
  QUELEA_ASSERT(!code);
}

/// The parser stopped at a level that it must not see, or at a number that it has no room for, and
/// another one goes on. False: the document is wrong.
bool JsonReader::mend(std::string_view text, int code) {
  if (for_pool) return false;
  if (refused_ != nullptr) return refuse(text, refused_);
  if (code == static_cast<int>(boost::json::error::too_deep)) {
    if (frames_.size() >= static_cast<std::size_t>(max_depth)) {
      error = {"nested too deeply", at_};
      return false;
    }
    begin_window(frames_.size());
    return true;
  }
  if (code == static_cast<int>(boost::json::error::exponent_overflow)) {
    return number_again(text);
  }
  const bool in_object = !frames_.empty() && frames_.back().is_object;
  error = explain_json(text, known_, at_, !frames_.empty(), in_object);
  return false;
}

/// Reads the number at which the parser stopped, for which another one goes on behind it.
bool JsonReader::number_again(std::string_view text) {
  const JsonTokens tokens(text, known_, at_);
  bool is_open = false;
  at_ = json_number_end(text, tokens.start, is_open);
  part_start_ = kNoPart;
  if (!number(text.substr(tokens.start, at_ - tokens.start))) return refuse(text, refused_);
  go_on_behind_value();
  return true;
}

void JsonReader::go_on_behind_value() {
  complete_ = frames_.empty();
  if (!complete_) begin_window(frames_.size() - std::min(frames_.size(), kWindow / 2));
}

/// The token that the parser has just read is none that can be taken.
bool JsonReader::refuse(std::string_view text, const char* message) {
  error = {message, JsonTokens(text, known_, at_).start};
  return false;
}

void JsonReader::keep(Term value) {
  constexpr std::size_t kMany = std::size_t{1} << 14;
  if (QUELEA_UNLIKELY(roots.size() == roots.capacity() && roots.size() >= kMany)) {
    // Page by page, the copy would take the system longer than all else.
    std::vector<Term> larger;
    larger.reserve(2 * roots.size());
    make_present(larger.data(), roots.size() * sizeof(Term));
    larger.assign(roots.begin(), roots.end());
    roots.swap(larger);
  }
  roots.push_back(value);
}

/// False: so much is inside that its list or map is for the pool to make.
bool JsonReader::close_here() {
  constexpr std::size_t kMostElements = std::size_t{1} << 16;
  constexpr std::size_t kMostKeysAndValues = std::size_t{1} << 13;
  const Frame& frame = frames_.back();
  for_pool = is_for_pool(values_->process(), roots.size() - frame.base,
                         frame.is_object ? kMostKeysAndValues : kMostElements);
  closes_ = for_pool;
  if (!for_pool) close();
  return !for_pool;
}

/// Does so at the bracket at which the parser stopped.
void JsonReader::close_again() {
  close();
  ++at_;
  go_on_behind_value();
}

void JsonReader::close() {
  const Frame frame = frames_.back();
  const std::span<Term> inside = std::span(roots).subspan(frame.base);
  const Term value = frame.is_object ? values_->object(inside) : values_->list(inside);
  roots.resize(frame.base);
  frames_.pop_back();
  keep(value);
}

void JsonReader::part(std::string_view piece) {
  const std::size_t at = values_->offset_of(piece);
  if (part_start_ == kNoPart) {
    part_start_ = at;
    part_size_ = 0;
    if (at == kNoPart) part_start_ = 0;
  }
  if (scratch_.size() == 0 && at == part_start_ + part_size_) {
    part_size_ += piece.size();
    return;
  }
  if (scratch_.size() == 0) append(values_->text().substr(part_start_, part_size_));
  append(piece);
}

void JsonReader::append(std::string_view piece) {
  if (!scratch_.put(values_->process(), piece)) lacks_room = true;
}

/// All of a string or number of which this is the last piece; nothing where that has no room
/// (`lacks_room`).
std::string_view JsonReader::whole(std::string_view last, std::size_t size) {
  if (part_start_ == kNoPart && last.size() == size) return last;
  part(last);
  const std::size_t start = std::exchange(part_start_, kNoPart);
  if (scratch_.size() == 0) return values_->text().substr(start, part_size_);
  collected_ = lacks_room ? Term::none() : scratch_.finish(values_->process());
  if (!collected_.is_none()) return binary_view(collected_).text();
  lacks_room = true;
  refused_ = kNoRoom;
  return {};
}

bool JsonReader::key(std::string_view last, std::size_t size) {
  const std::string_view text = whole(last, size);
  if (lacks_room) return false;
  const Term collected = std::exchange(collected_, Term::none());
  const bool is_made = !collected.is_none() && keys == JsonKeys::Strings;
  const Term key = is_made ? collected : values_->key(text);
  if (key.is_none()) {
    lacks_room = keys != JsonKeys::ExistingAtoms;
    refused_ = "the key is not an existing atom";
    return false;
  }
  keep(key);
  return true;
}

bool JsonReader::string(std::string_view last, std::size_t size) {
  const std::string_view text = whole(last, size);
  if (lacks_room) return false;
  const Term collected = std::exchange(collected_, Term::none());
  const Term value = collected.is_none() ? values_->string(text) : collected;
  if (value.is_none()) {
    lacks_room = true;
    refused_ = kNoRoom;
    return false;
  }
  const std::size_t at = values_->offset_of(text);
  if (at != kNoPart) value_ends_at(at + text.size() + 1, '"');
  keep(value);
  return true;
}

bool JsonReader::number(std::string_view last) {
  const std::string_view text = whole(last, last.size());
  if (lacks_room) return false;
  collected_ = Term::none();  // Its text stays where it is until the native is over.
  for_pool = is_for_pool(values_->process(), text.size(), kPoolDigits);
  if (for_pool) return false;
  const Term value = values_->number(text);
  if (value.is_none()) {
    refused_ = "number too large";
    return false;
  }
  value_ends_at(values_->offset_of(text) + text.size(), '0');
  keep(value);
  return true;
}

}  // namespace quelea
