// The mailbox: arrival, scanning and taking.
//
// Messages that arrived are in the inner queue (Process::first_message …), in order. A receive
// walks it with `scan_link`, which points to the link of the message under inspection: a message
// that no arm wants is passed by moving the scan point, and is not looked at again before the next
// receive starts. New arrivals are linked at the end, so that a receive that waits goes on where it
// stopped.
#pragma once

#include "vm/proc/process.h"
#include "vm/proc/signal.h"

namespace quelea {

enum class PeekResult { Message, Nothing, Exited };
enum class WaitResult { Message, Timeout, Wait, Raised, Exited };

/// Lets arrived signals take effect; whether there is a message at the scan point then.
PeekResult peek_arrivals(Process& p);
/// Removes the message at the scan point and makes its memory the process's; the receive is over.
void take_message(Process& p);
/// A receive with a time limit found nothing so far.
WaitResult wait_until(Process& p, Term timeout);
/// Stops the timer of a receive or waiting native.
void stop_receive_timer(Process& p);

/// Appends a message signal to the inner queue.
void deliver(Process& p, Signal* message);

}  // namespace quelea
