#include "node/wake.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/errno.h"

namespace nacre::node {
namespace {

constexpr int64_t kMillisecondNs = 1'000'000;

int timeout_ms(std::optional<int64_t> limit_ns) {
  if (!limit_ns) return -1;
  return static_cast<int>(std::clamp<int64_t>(*limit_ns / kMillisecondNs + 1, 0, 1'000'000'000));
}

}  // namespace

Result<std::unique_ptr<WakeQueue>> WakeQueue::open() {
  std::unique_ptr<WakeQueue> queue(new WakeQueue());
  sigset_t wanted;
  ::sigemptyset(&wanted);
  ::sigaddset(&wanted, SIGINT);
  ::sigaddset(&wanted, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &wanted, &queue->mask_before_);
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGHUP, &ignore, &queue->hangup_before_);
  ::sigaction(SIGPIPE, &ignore, &queue->pipe_before_);
  queue->signals_ = os::Fd(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  queue->wakes_ = os::Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!queue->signals_.valid() || !queue->wakes_.valid()) {
    return error_from_errno(errno, "wait for signals");
  }
  return queue;
}

WakeQueue::~WakeQueue() {
  ::sigaction(SIGHUP, &hangup_before_, nullptr);
  ::sigaction(SIGPIPE, &pipe_before_, nullptr);
  ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

void WakeQueue::wake() {
  // Fails only when the counter is full, and then the wait returns anyway.
  [[maybe_unused]] const int failed = ::eventfd_write(wakes_.get(), 1);
}

WakeQueue::Event WakeQueue::wait(std::optional<int64_t> limit_ns) {
  std::array<pollfd, 2> both = {pollfd{.fd = signals_.get(), .events = POLLIN, .revents = 0},
                                pollfd{.fd = wakes_.get(), .events = POLLIN, .revents = 0}};
  const int count =
      os::retry_interrupted([&] { return ::poll(both.data(), both.size(), timeout_ms(limit_ns)); });
  if (count == 0) return Event::kTimeout;
  signalfd_siginfo signal = {};
  if (::read(signals_.get(), &signal, sizeof(signal)) == sizeof(signal)) return Event::kSignal;
  eventfd_t wakes = 0;
  [[maybe_unused]] const int failed = ::eventfd_read(wakes_.get(), &wakes);
  return Event::kWoken;
}

}  // namespace nacre::node
