// Puts and gets objects as fast as a cluster takes and gives them, from one process.
//
//   cluster_load CLUSTER put CODE COUNT BYTES THREADS IDS    stores COUNT objects, ids to the file
//   IDS cluster_load CLUSTER get IDS COUNT THREADS               reads COUNT objects of those in
//   IDS
//
// Prints one line of JSON: objects, bytes, seconds, and seconds of CPU of this process.
#include <fmt/format.h>

#include <atomic>
#include <cstring>
#include <fstream>

#include "cli/cluster_client.h"
#include "cluster/ids.h"
#include "cpu_time.h"
#include "os/thread.h"

namespace {

using namespace nacre;

// Runs `work` until it has been called `count` times, by several threads.
template <class Work>
Status run(uint64_t count, unsigned threads, const Work& work) {
  std::atomic<uint64_t> next = 0;
  os::Mutex mutex;
  Status failed;
  {
    std::vector<os::Thread> running;
    for (unsigned i = 0; i < threads; ++i) {
      running.emplace_back("load", [&] {
        for (uint64_t number = next++; number < count; number = next++) {
          const Status done = work(number);
          if (done.ok()) continue;
          const os::Lock lock(mutex);
          failed = done;
          next = count;
        }
      });
    }
  }
  return failed;
}

struct Words {
  std::string cluster;
  bool puts = false;
  codec::ErasureCode code;
  std::string ids;
  uint64_t count = 0;
  uint64_t bytes = 0;
  unsigned threads = 1;
};

Result<Words> words_of(const std::vector<std::string>& words) {
  if (words.size() == 8 && words[2] == "put") {
    return Words{words[1],
                 true,
                 TRY(codec::parse_code(words[3])),
                 words[7],
                 TRY(parse_size(words[4])),
                 TRY(parse_size(words[5])),
                 static_cast<unsigned>(TRY(parse_size(words[6])))};
  }
  if (words.size() == 6 && words[2] == "get") {
    return Words{words[1],
                 false,
                 {},
                 words[3],
                 TRY(parse_size(words[4])),
                 0,
                 static_cast<unsigned>(TRY(parse_size(words[5])))};
  }
  return Error(Code::kInvalid, "see the top of bench/cluster_load.cc for the words");
}

// Content that does not compress.
std::string make_content(uint64_t bytes) {
  std::string content(bytes, '\0');
  os::SeededRandom random(static_cast<uint64_t>(os::real_clock().now().ns));
  for (size_t at = 0; at + sizeof(uint64_t) <= content.size(); at += sizeof(uint64_t)) {
    const uint64_t next = random.next();
    std::memcpy(content.data() + at, &next, sizeof(next));
  }
  return content;
}

Status put_all(cli::ClusterClient& client, const Words& words, const std::string& content,
               std::atomic<uint64_t>& bytes) {
  std::vector<BlockId> ids(words.count);
  TRY(run(words.count, words.threads, [&](uint64_t number) -> Status {
    uint64_t at = 0;
    ids[number] = TRY(client.objects().put(words.code, [&](MutableBytes into) -> Result<size_t> {
      const size_t count = std::min<uint64_t>(into.size(), content.size() - at);
      std::memcpy(into.data(), content.data() + at, count);
      at += count;
      return count;
    }));
    bytes += at;
    return {};
  }));
  std::ofstream file(words.ids);
  for (const BlockId id : ids) file << to_hex(id) << "\n";
  return {};
}

Status get_all(cli::ClusterClient& client, const Words& words, std::atomic<uint64_t>& bytes) {
  std::vector<BlockId> ids;
  std::ifstream file(words.ids);
  for (std::string line; std::getline(file, line);) {
    ids.push_back(TRY(cluster::parse_id<BlockId>(line)));
  }
  if (ids.empty()) return Error(Code::kInvalid, words.ids + " names no objects");
  return run(words.count, words.threads, [&](uint64_t number) {
    return client.objects().get(ids[number % ids.size()], 0, UINT64_MAX, [&](ByteView some) {
      bytes += some.size();
      return Status();
    });
  });
}

Status load(const std::vector<std::string>& given) {
  const Words words = TRY(words_of(given));
  const auto client = TRY(cli::ClusterClient::connect(words.cluster));
  std::atomic<uint64_t> bytes = 0;
  const std::string content = make_content(words.bytes);
  if (words.puts) TRY(client->ensure_pool(words.code));
  const double cpu = cpu_seconds();
  const int64_t begun_ns = os::real_clock().monotonic_ns();
  TRY(words.puts ? put_all(*client, words, content, bytes) : get_all(*client, words, bytes));
  const auto ns = static_cast<double>(os::real_clock().monotonic_ns() - begun_ns);
  fmt::print("{{\"objects\": {}, \"bytes\": {}, \"seconds\": {:.6f}, \"cpu_seconds\": {:.6f}}}\n",
             words.count, bytes.load(), ns / 1e9, cpu_seconds() - cpu);
  return {};
}

}  // namespace

int main(int count, char** words) {
  const nacre::Status done = load(std::vector<std::string>(words, words + count));
  if (done.ok()) return 0;
  fmt::print(stderr, "cluster_load: {}\n", done.error().to_string());
  return 1;
}
