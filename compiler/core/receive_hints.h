// What the machine may know of a receive before it looks at a message (see vm/proc/mailbox.h).
#pragma once

#include <span>
#include <vector>

#include "compiler/core/match.h"

namespace quelea::compiler {

struct ReceiveHints {
  // Every message that some arm matches is one of these immediates, or a tuple that begins with
  // one. Empty: nothing is known.
  std::vector<ConstId> tags;
  // A pinned value that every arm's pattern contains, so that no message sent before a reference
  // was made can match where the value is that reference. kNoRef: there is none.
  Ref reference = kNoRef;
};

ReceiveHints receive_hints(std::span<const Pat* const> arms, const ConstTable& consts);

}  // namespace quelea::compiler
