// Natives whose work grows with their input, done in slices.
//
// The problem: a loop over five million elements takes a tenth of a second, and nobody else runs
// meanwhile. The idea: such a native is a struct of its loop's variables,
//
//   struct Zip {
//     Zip(Process& p, Args args);                 // the arguments were looked at before
//     bool step(Process& p, std::size_t& cost);   // a little of it; false when there is no more
//     Term finish(Process& p);                    // the result, or none and an exception
//   };
//   Term prim_list_zip(Process& p, Args args) { return in_slices<Zip>(p, args); }
//
// which lives on the C++ stack like any loop's variables as long as the input is short: up to
// kSliceCost nothing is allocated for it. Only then it moves to the heap, as the native's state,
// and goes on there slice by slice.
//
// Its terms are plain variables, builders with addresses of cells and vectors of terms among them.
// That is right because its state *pins* the process's heap: nothing is collected before it is done
// (messages still arrive, exits still end it). The memory such a native takes is bounded by its
// result; where the process would pass its heap limit, the native starts over once after a full
// collection, because the rest may have been garbage.
//
// `cost` is counted in cells walked, eight of which make a reduction (128 bytes of text are 8
// cells); a step must cost at least 1 and takes at most some microseconds where it can.
//
// What a step compares or hashes may itself be huge. Walks over terms are given `cost` as the count
// of their work, and give up when it is too much (vm/term/work.h). What the native did is then
// worthless: it starts over in the pool, where nobody waits for it, and stays there.
#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "vm/native/pool.h"
#include "vm/native/support.h"
#include "vm/term/work.h"

namespace quelea {

/// Cells: what a slice of 4,000 reductions is worth.
inline constexpr std::size_t kSliceCost = 32 * 1024;

inline std::size_t cost_of_bytes(std::size_t bytes) { return bytes / 16; }

template <class Work>
struct WorkState final : NativeState {
  explicit WorkState(Work&& begun) : work(std::move(begun)) { pins_heap = true; }
  bool start_over() override {
    if (started_over) return false;
    started_over = true;
    forget();
    return true;
  }
  void forget() {
    pins_heap = false;
    work.reset();
  }
  std::optional<Work> work;  ///< None when it is to start over.
  bool started_over = false;
  bool for_pool = false;  ///< A walk gave up.
};

enum class SliceEnd { Done, Over, GaveUp };

/// Until the slice is over, or there is no more, or a walk gave up. `start` is where the count of
/// the cost begins: 0, or kMayGiveUp.
template <class Work>
[[gnu::always_inline]] inline SliceEnd run_slice(Process& p, Work& work, std::size_t start) {
  std::size_t cost = start;
  bool more;
  do {
    more = work.step(p, cost);
  } while (more && QUELEA_LIKELY(cost < start + kSliceCost));
  charge_cells(p, work_done(cost));
  if (QUELEA_UNLIKELY(gave_up(cost))) return SliceEnd::GaveUp;
  return more ? SliceEnd::Over : SliceEnd::Done;
}

/// Not done yet: called again, where it may be.
template <class Work>
[[gnu::noinline]] Term call_again(Process& p, WorkState<Work>& state, SliceEnd end) {
  if (end == SliceEnd::GaveUp) {
    state.forget();
    state.for_pool = true;
  }
  return state.for_pool && !p.on_pool() ? p.to_pool() : p.again();
}

struct BytesLoop;

/// Whether it begins with work that cannot stop in the middle.
template <class Work>
[[gnu::always_inline]] inline bool begins_on_pool(Process& p, Args args) {
  if constexpr (std::is_base_of_v<BytesLoop, Work>) return is_large_unaligned(p, args[0]);
  return false;
}

template <class Work>
[[gnu::noinline]] Term next_slice(Process& p, Args args) {
  auto* state = static_cast<WorkState<Work>*>(p.native_state);
  if (state->for_pool && !p.on_pool()) return p.to_pool();
  if (!state->work) {
    state->work.emplace(p, args);
    state->pins_heap = true;
  }
  const SliceEnd end = run_slice(p, *state->work, state->for_pool ? 0 : kMayGiveUp);
  if (end != SliceEnd::Done) return call_again(p, *state, end);
  Term result = state->work->finish(p);
  drop_native_state(p);
  // What had to wait for the end.
  if (p.collection_due()) p.interrupt_slice();
  return result;
}

/// The native whose arguments are fine, as described above.
template <class Work>
[[gnu::always_inline]] inline Term in_slices(Process& p, Args args) {
  if (QUELEA_UNLIKELY(p.native_state != nullptr)) return next_slice<Work>(p, args);
  if (begins_on_pool<Work>(p, args)) return p.to_pool();
  Work work(p, args);
  const SliceEnd end = run_slice(p, work, kMayGiveUp);
  if (QUELEA_UNLIKELY(end != SliceEnd::Done)) {
    auto* state = new WorkState<Work>(std::move(work));
    p.native_state = state;
    return call_again(p, *state, end);
  }
  return work.finish(p);
}

/// A loop over the bytes of the first argument, which is a binary.
struct BytesLoop {
  BytesLoop(Process&, Args args) : whole(args[0]) { bytes.get(args[0]); }
  Term whole;
  Bytes bytes;
  std::size_t at = 0;

  std::string_view text() const { return bytes.text(); }
  std::size_t size() const { return bytes.size(); }
  /// The next piece of up to `most` bytes, which is then behind `at`.
  std::string_view next_piece(std::size_t most, std::size_t& cost) {
    const std::string_view piece = text().substr(at, most);
    at += piece.size();
    cost += 1 + cost_of_bytes(piece.size());
    return piece;
  }
};

/// Text of any length that steps append to.
class TextOut {
 public:
  std::string text;  ///< Its end, to append to.

  /// Between two steps: large text moves on to where the result will be. False where it may not
  /// become so large.
  bool settle(Process& p) {
    if (QUELEA_LIKELY(text.size() < kPieceBytes)) return true;
    return move_on(p);
  }
  /// Large text of its own, behind what is there.
  bool put(Process& p, std::string_view piece) {
    text.append(piece);
    return settle(p);
  }
  std::size_t size() const { return whole_.bit_size() / 8 + text.size(); }
  /// The binary, or none with system_limit raised. What is put afterwards is another text.
  Term finish(Process& p);

 private:
  static constexpr std::size_t kPieceBytes = 16 * 1024;
  bool move_on(Process& p);
  BinaryBuilder whole_;
};

}  // namespace quelea
