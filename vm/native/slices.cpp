#include "vm/native/slices.h"

namespace quelea {

bool TextOut::move_on(Process& p) {
  const std::size_t most_words = p.vm().max_process_words();
  if (size() > kMaxBinaryBytes || (most_words != 0 && size() / sizeof(Word) > most_words)) {
    return false;
  }
  const std::size_t bits = whole_.bit_size() + 8 * text.size();
  whole_.make_pages_present(text.size());
  whole_.put_text(text);
  // What got no memory has put nothing.
  if (whole_.bit_size() != bits) no_memory();
  text.clear();
  return true;
}

Term TextOut::finish(Process& p) {
  if (whole_.bit_size() == 0) {
    const Term result = text_term(p, text);
    text.clear();
    return result;
  }
  if (!move_on(p)) return system_limit(p);
  whole_.trim();
  return checked(p, whole_.finish(p));
}

}  // namespace quelea
