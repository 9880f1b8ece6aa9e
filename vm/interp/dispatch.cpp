// The dispatch table, and the way into the handlers.
#include <algorithm>
#include <array>

#include "vm/interp/handler.h"
#include "vm/interp/handlers.h"
#include "vm/interp/run.h"

namespace quelea {

#define OP(name, operands, flags, sentence) HANDLER(name);
#include "vm/code/opcodes.def"
#undef OP
#define LOADER_OP(name, words, sentence) HANDLER(name);
#include "vm/code/loader_ops.def"
#undef LOADER_OP
HANDLER(process_end);

const void* const* handler_table() {
  static const void* const kHandlers[] = {
#define OP(name, operands, flags, sentence) reinterpret_cast<const void*>(&do_##name),
#include "vm/code/opcodes.def"
#undef OP
#define LOADER_OP(name, words, sentence) reinterpret_cast<const void*>(&do_##name),
#include "vm/code/loader_ops.def"
#undef LOADER_OP
  };
  static_assert(sizeof kHandlers / sizeof kHandlers[0] == kHandlerCount);
  return kHandlers;
}

HANDLER(send_seeded);

const void* const* seeded_handler_table() {
  static const auto kHandlers = [] {
    std::array<const void*, kHandlerCount> handlers{};
    std::copy_n(handler_table(), kHandlerCount, handlers.begin());
    handlers[op_send] = reinterpret_cast<const void*>(&do_send_seeded);
    return handlers;
  }();
  return kHandlers.data();
}

const ReturnPoint* bottom_return_point() {
  // The result goes to slot 1, which is always there: after slot 0 comes the red zone.
  static const struct {
    ReturnPoint point;
    Word behind;
  } kBottom = {
      {reinterpret_cast<Word>(&do_return_point), 0, -std::int64_t{sizeof(Word)}, kEmptyLiveMap},
      reinterpret_cast<Word>(&do_process_end)};
  static_assert(kRedZoneSlots >= 1);
  return &kBottom.point;
}

void run(Process& process) {
  const Word* pc = process.pc;
  process.set_flag_bit(Process::kAtReturnPoint, false);
#if QUELEA_TAIL_HANDLERS
  HANDLER_AT(pc)(pc, process.fp, &process, process.reductions, process.hp, process.value);
#else
  Registers r{pc, process.fp, &process, process.reductions, process.hp, process.value};
  for (Handler handler = HANDLER_AT(pc); handler != nullptr;) {
    handler = handler(r.pc, r.fp, r.p, r.reductions, r.hp, r.value, &r).handler;
  }
#endif
}

}  // namespace quelea
