// Entering and leaving functions, as parts of handlers.
#pragma once

#include "vm/interp/handler.h"

namespace quelea {

HANDLER(enter);
HANDLER(return_point);

}  // namespace quelea

/// Returns `value`. A return to the interpreter, which is the rule, does not go through the return
/// point's handler.
#define RETURN                                                         \
  do {                                                                 \
    const Word back = fp->bits;                                        \
    pc = return_address(back);                                         \
    if (QUELEA_UNLIKELY(HANDLER_AT(pc) != &do_return_point)) DISPATCH; \
    fp += back >> kReturnAddressBits;                                  \
    SLOT(2) = value;                                                   \
    NEXT(3);                                                           \
  } while (0)

/// Begins a frame `base_bytes` below, which returns to the return point at `point`.
#define PUSH_FRAME(base_bytes, point)                                      \
  do {                                                                     \
    const Word push_base = (base_bytes);                                   \
    fp = frame_below(fp, push_base);                                       \
    fp->bits = make_return_word(reinterpret_cast<Word>(point), push_base); \
  } while (0)

/// Goes on at `entry`, doing its `enter` on the way unless that has something to say.
#define ENTER(entry)                                                                      \
  do {                                                                                    \
    pc = (entry);                                                                         \
    if (QUELEA_LIKELY(HANDLER_AT(pc) == &do_enter && reductions > 1 &&                    \
                      ROOM >= static_cast<std::int64_t>(pc[1]) && !QUELEA_GCSTRESSING)) { \
      --reductions;                                                                       \
      NEXT(2);                                                                            \
    }                                                                                     \
    DISPATCH;                                                                             \
  } while (0)
