// Runs steps on several threads at a time and hands over their results in order. The window is
// bounded: a step starts only when fewer than `parallel` results wait to be handed over.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/result.h"
#include "os/mutex.h"
#include "os/thread.h"

namespace nacre::block {

// Gives the inputs, one after another; none at the end. One thread at a time.
template <class In>
using Feed = std::function<Result<std::optional<In>>()>;

// Work on one input; several threads at once.
template <class In, class Out>
using Step = std::function<Result<Out>(In)>;

// Takes the results in the order of their inputs; one thread at a time.
template <class Out>
using Take = std::function<Status(Out)>;

// Returns the first error of any of the three, when nothing runs any more.
template <class In, class Out>
Status run_ordered(unsigned parallel, const Feed<In>& feed, const Step<In, Out>& step,
                   const Take<Out>& take) {
  class Line {
   public:
    Line(const Feed<In>& feed, const Step<In, Out>& step, const Take<Out>& take)
        : feed_(feed), step_(step), take_(take) {}

    void work() {
      size_t number = 0;
      while (std::optional<In> in = next(number)) {
        Result<Out> out = step_(std::move(*in));
        finish(number, std::move(out));
      }
    }

    Status status() {
      const os::Lock lock(mutex_);
      return status_;
    }

   private:
    std::optional<In> next(size_t& number) {
      const os::Lock feeding(feeding_);
      if (!status().ok() || ended_) return std::nullopt;
      Result<std::optional<In>> in = feed_();
      if (!in.ok()) fail(in.error());
      if (!in.ok() || !*in) {
        ended_ = true;
        return std::nullopt;
      }
      number = fed_++;
      return in.take();
    }

    // Hands over all that is next in order; a thread whose turn is not yet there waits, so that no
    // more than one result of each thread is kept.
    void finish(size_t number, Result<Out> out) {
      const os::Lock lock(mutex_);
      if (!out.ok()) {
        if (status_.ok()) status_ = out.error();
        turn_.notify_all();
        return;
      }
      while (taken_ != number && status_.ok()) turn_.wait(mutex_);
      if (!status_.ok()) return;
      mutex_.unlock();
      Status took = take_(out.take());
      mutex_.lock();
      if (!took.ok() && status_.ok()) status_ = std::move(took);
      ++taken_;
      turn_.notify_all();
    }

    void fail(const Error& error) {
      const os::Lock lock(mutex_);
      if (status_.ok()) status_ = error;
      turn_.notify_all();
    }

    const Feed<In>& feed_;
    const Step<In, Out>& step_;
    const Take<Out>& take_;
    os::Mutex feeding_;  // before mutex_; held while feeding
    bool ended_ GUARDED_BY(feeding_) = false;
    size_t fed_ GUARDED_BY(feeding_) = 0;
    os::Mutex mutex_;
    os::CondVar turn_;
    size_t taken_ GUARDED_BY(mutex_) = 0;  // by whoever's turn it is, without the lock while taking
    Status status_ GUARDED_BY(mutex_);
  };

  Line line(feed, step, take);
  {
    std::vector<os::Thread> threads;
    for (unsigned i = 1; i < parallel; ++i) threads.emplace_back("ordered", [&] { line.work(); });
    line.work();
  }
  return line.status();
}

}  // namespace nacre::block
