// A thread that may fail to start: the library is built without exceptions, and a system that has
// no thread to give is no reason to end.
#pragma once

#include <pthread.h>

#include <functional>
#include <memory>

namespace quelea {

class Thread {
 public:
  Thread() = default;
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  /// False: the system has none. Once a thread.
  bool start(std::function<void()> body) {
    auto owned = std::make_unique<std::function<void()>>(std::move(body));
    if (pthread_create(&handle_, nullptr, &enter, owned.get()) != 0) return false;
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
  static void* enter(void* body) {
    std::unique_ptr<std::function<void()>> owned(static_cast<std::function<void()>*>(body));
    (*owned)();
    return nullptr;
  }

  pthread_t handle_{};
  bool started_ = false;
};

}  // namespace quelea
