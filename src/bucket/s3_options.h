// How a bucket of an S3 store is reached.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "bucket/credentials.h"
#include "bucket/pacing.h"
#include "bucket/url.h"
#include "os/clock.h"

namespace nacre::bucket {

struct S3Options {
  Endpoint endpoint = {};
  BucketUrl bucket = {};
  Credentials credentials = {};
  std::string region = {};      // empty: as region_of() finds it
  bool virtual_hosted = false;  // https://BUCKET.HOST/KEY instead of https://HOST/BUCKET/KEY
  std::string ca_file = {};     // certificates to trust instead of the system's

  size_t connections_max = 8;
  size_t parallel_parts = 3;  // of one object, of those connections
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
  std::chrono::seconds stall_timeout = std::chrono::seconds(30);

  os::Clock* clock = &os::real_clock();
  std::shared_ptr<Pacing> pacing = std::make_shared<Pacing>();
};

}  // namespace nacre::bucket
