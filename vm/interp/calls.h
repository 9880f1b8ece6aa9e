// Entering and leaving functions, as parts of handlers.
#pragma once

#include "vm/interp/handler.h"

namespace quelea {

HANDLER(enter);

/// Whether what lies at `entry` is a function with a frame. Others are a `tail_native` alone, or
/// not loaded.
inline bool begins_with_enter(const Word* entry) {
  return *entry == reinterpret_cast<Word>(&do_enter);
}

}  // namespace quelea

/// Returns `value`. Does what the return point's handler does.
#define RETURN                  \
  do {                          \
    const Word back = fp->bits; \
    pc = return_address(back);  \
    fp += return_base(back);    \
    SLOT(2) = value;            \
    NEXT(3);                    \
  } while (0)

/// Begins a frame `base_bytes` below, which returns to the return point at `point`.
#define PUSH_FRAME(base_bytes, point)                                      \
  do {                                                                     \
    const Word push_base = (base_bytes);                                   \
    fp = frame_below(fp, push_base);                                       \
    fp->bits = make_return_word(reinterpret_cast<Word>(point), push_base); \
  } while (0)

/// Goes on at `entry`, which begins with `enter`, doing that on the way unless it has something to
/// say.
#define ENTER_FRAME(entry)                                                             \
  do {                                                                                 \
    pc = (entry);                                                                      \
    if (QUELEA_UNLIKELY(reductions <= 1 || ROOM < static_cast<std::int64_t>(pc[1])) || \
        QUELEA_GCSTRESSING) {                                                          \
      GO_SLOW(&do_enter);                                                              \
    }                                                                                  \
    --reductions;                                                                      \
    NEXT(2);                                                                           \
  } while (0)

/// The same where `entry` may be anything.
#define ENTER(entry)                                      \
  do {                                                    \
    const Word* const entered = (entry);                  \
    if (begins_with_enter(entered)) ENTER_FRAME(entered); \
    pc = entered;                                         \
    DISPATCH;                                             \
  } while (0)
