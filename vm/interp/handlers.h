// The dispatch table.
#pragma once

namespace quelea {

/// The addresses of all handlers, by Op, then by LoaderOp: what the loader writes into code.
const void* const* handler_table();

/// The same for deterministic machines.
const void* const* seeded_handler_table();

}  // namespace quelea
