// Locks and condition variables with clang thread-safety annotations. The only place that names
// std::mutex; everything else declares what each lock guards with GUARDED_BY.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>

#if defined(__clang__)
#define NACRE_TSA(x) __attribute__((x))
#else
#define NACRE_TSA(x)
#endif
#define CAPABILITY(x) NACRE_TSA(capability(x))
#define SCOPED_CAPABILITY NACRE_TSA(scoped_lockable)
#define GUARDED_BY(x) NACRE_TSA(guarded_by(x))
#define PT_GUARDED_BY(x) NACRE_TSA(pt_guarded_by(x))
#define REQUIRES(...) NACRE_TSA(requires_capability(__VA_ARGS__))
#define REQUIRES_SHARED(...) NACRE_TSA(requires_shared_capability(__VA_ARGS__))
#define ACQUIRE(...) NACRE_TSA(acquire_capability(__VA_ARGS__))
#define ACQUIRE_SHARED(...) NACRE_TSA(acquire_shared_capability(__VA_ARGS__))
#define RELEASE(...) NACRE_TSA(release_capability(__VA_ARGS__))
#define RELEASE_SHARED(...) NACRE_TSA(release_shared_capability(__VA_ARGS__))
#define RELEASE_GENERIC(...) NACRE_TSA(release_generic_capability(__VA_ARGS__))
#define EXCLUDES(...) NACRE_TSA(locks_excluded(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS NACRE_TSA(no_thread_safety_analysis)

namespace nacre::os {

class CAPABILITY("mutex") Mutex {
 public:
  void lock() ACQUIRE() { mutex_.lock(); }
  void unlock() RELEASE() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class CAPABILITY("shared_mutex") SharedMutex {
 public:
  void lock() ACQUIRE() { mutex_.lock(); }
  void unlock() RELEASE() { mutex_.unlock(); }
  void lock_shared() ACQUIRE_SHARED() { mutex_.lock_shared(); }
  void unlock_shared() RELEASE_SHARED() { mutex_.unlock_shared(); }

 private:
  std::shared_mutex mutex_;
};

// Exclusive ownership of a Mutex or SharedMutex for a scope.
template <class M>
class SCOPED_CAPABILITY BasicLock {
 public:
  explicit BasicLock(M& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~BasicLock() RELEASE() { mutex_.unlock(); }
  BasicLock(const BasicLock&) = delete;
  BasicLock& operator=(const BasicLock&) = delete;

 private:
  M& mutex_;
};
using Lock = BasicLock<Mutex>;
using ExclusiveLock = BasicLock<SharedMutex>;

class SCOPED_CAPABILITY SharedLock {
 public:
  explicit SharedLock(SharedMutex& mutex) ACQUIRE_SHARED(mutex) : mutex_(mutex) {
    mutex_.lock_shared();
  }
  ~SharedLock() RELEASE_GENERIC() { mutex_.unlock_shared(); }
  SharedLock(const SharedLock&) = delete;
  SharedLock& operator=(const SharedLock&) = delete;

 private:
  SharedMutex& mutex_;
};

class CondVar {
 public:
  // Releases the mutex while waiting. May wake without cause: loop on the condition.
  void wait(Mutex& mutex) REQUIRES(mutex) {
    std::unique_lock<std::mutex> held(mutex.mutex_, std::adopt_lock);
    condition_.wait(held);
    held.release();
  }
  // As wait(), for at most `limit`. False when the time ran out.
  bool wait_for(Mutex& mutex, std::chrono::nanoseconds limit) REQUIRES(mutex) {
    std::unique_lock<std::mutex> held(mutex.mutex_, std::adopt_lock);
    const bool woken = condition_.wait_for(held, limit) == std::cv_status::no_timeout;
    held.release();
    return woken;
  }
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace nacre::os
