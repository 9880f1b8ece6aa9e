// A thread that may fail to start: a system that has no thread to give, or no memory for one, is no
// reason to end.
#pragma once

#include <pthread.h>

#include <memory>
#include <new>
#include <utility>

namespace quelea {

class Thread {
 public:
  Thread() = default;
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  /// False: the system has none. Once a thread.
  template <class Body>
  bool start(Body body) noexcept {
    std::unique_ptr<Body> owned(new (std::nothrow) Body(std::move(body)));
    if (owned == nullptr || pthread_create(&handle_, nullptr, &enter<Body>, owned.get()) != 0) {
      return false;
    }
    owned.release();
    started_ = true;
    return true;
  }
  /// Nobody will join it.
  void detach() {
    if (started_) pthread_detach(handle_);
    started_ = false;
  }
  void join() {
    if (started_) pthread_join(handle_, nullptr);
    started_ = false;
  }

 private:
  template <class Body>
  static void* enter(void* body) {
    std::unique_ptr<Body> owned(static_cast<Body*>(body));
    (*owned)();
    return nullptr;
  }

  pthread_t handle_{};
  bool started_ = false;
};

}  // namespace quelea
