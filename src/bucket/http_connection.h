// One connection of an HttpTransport: a handle of libcurl with a loop of its own, so that another
// thread can wake it. Private to http.cc. One thread uses it at a time; stop() may be called from
// any.
#pragma once

#include <curl/curl.h>

#include <atomic>
#include <memory>

#include "bucket/http.h"

namespace nacre::bucket {

class HttpTransport::Connection {
 public:
  explicit Connection(const HttpOptions& options);
  Result<HttpAnswer> perform(const HttpRequest& request);
  void stop();

 private:
  template <auto Free>
  struct Deleter {
    template <class T>
    void operator()(T* object) const {
      Free(object);
    }
  };
  using Easy = std::unique_ptr<CURL, Deleter<curl_easy_cleanup>>;
  using Multi = std::unique_ptr<CURLM, Deleter<curl_multi_cleanup>>;
  using Lines = std::unique_ptr<curl_slist, Deleter<curl_slist_free_all>>;
  struct Exchange;

  void set_up(const HttpRequest& request, Exchange& exchange, const Lines& lines);
  void set_up_body(const HttpRequest& request, Exchange& exchange);
  CURLcode run();
  Error failed(CURLcode code, const Exchange& exchange) const;

  const HttpOptions& options_;
  std::atomic<bool> stopped_ = false;
  char words_[CURL_ERROR_SIZE] = {};
  // In this order: the handle must go before the loop that it may be part of.
  Multi multi_;
  Easy easy_;
};

}  // namespace nacre::bucket
