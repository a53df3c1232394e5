// What the parts of a cluster's data path cost by themselves: blocks are coded, their fragments go
// over TCP on loopback to threads that write each to a file and make it durable; or are read from
// there and come back. No frames, checksums, TLS, index or placement.
//
//   cluster_ceiling DIR put|get CODE BYTES THREADS
//
// Prints one line of JSON as cluster_load does. `get` reads what the last `put` left in DIR.
#include <fmt/format.h>

#include <atomic>
#include <cstring>
#include <memory>

#include "base/units.h"
#include "codec/erasure.h"
#include "cpu_time.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "os/tcp.h"
#include "os/thread.h"

namespace {

using namespace nacre;

constexpr uint64_t kBlockBytes = 4 * kMiB;

struct Words {
  std::string directory;
  bool puts = false;
  codec::ErasureCode code;
  uint64_t blocks = 0;
  unsigned threads = 1;
};

// What goes before a fragment: where it lies, and how long it is.
struct Head {
  uint64_t offset = 0;
  uint64_t length = 0;
};

Status read_all(os::ByteStream& stream, MutableBytes into) {
  while (!into.empty()) {
    const size_t count = TRY(stream.read_some(into));
    if (count == 0) return Error(Code::kUnavailable, "the stream ended");
    into = into.subspan(count);
  }
  return {};
}

template <class T>
MutableBytes bytes_of(T& value) {
  return std::as_writable_bytes(std::span(&value, 1));
}

// The other end of one stream: writes fragments to the file and answers, or sends them.
Status serve(os::ByteStream& stream, os::File& file, bool puts) {
  std::vector<std::byte> buffer(kBlockBytes);
  for (;;) {
    Head head;
    if (!read_all(stream, bytes_of(head)).ok()) return {};
    const MutableBytes bytes = MutableBytes(buffer).first(head.length);
    if (puts) {
      TRY(read_all(stream, bytes));
      TRY(file.write_at(head.offset, bytes));
      TRY(file.sync());
    } else {
      TRY(file.read_at(head.offset, bytes));
    }
    const ByteView answer = puts ? ByteView(bytes_of(head)) : ByteView(bytes);
    TRY(stream.write_all({&answer, 1}));
  }
}

struct Line {
  std::unique_ptr<os::ByteStream> client;
  std::unique_ptr<os::ByteStream> server;
  os::Thread thread;
};

Result<Line> connect(os::File& file, bool puts) {
  const auto listener = TRY(os::TcpListener::listen({"127.0.0.1", 0}));
  Line line;
  line.client = TRY(os::connect_tcp({"127.0.0.1", listener->port()}, 5'000'000'000));
  line.server = TRY(listener->accept());
  line.thread = os::Thread("ceiling", [stream = line.server.get(), &file, puts] {
    if (!serve(*stream, file, puts).ok())
      fmt::print(stderr, "cluster_ceiling: a fragment failed\n");
  });
  return line;
}

Status put_block(std::vector<Line>& lines, const codec::ErasureCoder& coder, ByteView block,
                 std::vector<std::byte>& parity, uint64_t number) {
  const codec::FragmentLayout layout(coder.code(), block.size());
  const uint64_t longest = layout.longest_bytes();
  parity.resize(longest * coder.code().m);
  std::vector<MutableBytes> into;
  for (unsigned i = 0; i < coder.code().m; ++i) {
    into.push_back(MutableBytes(parity).subspan(i * longest, longest));
  }
  coder.encode(block, into);
  for (unsigned i = 0; i < lines.size(); ++i) {
    Head head{number * longest, layout.bytes_of(i)};
    const ByteView parts[] = {
        bytes_of(head), i < coder.code().k ? block.subspan(layout.offset_of(i), layout.bytes_of(i))
                                           : ByteView(into[i - coder.code().k])};
    TRY(lines[i].client->write_all(parts));
  }
  for (Line& line : lines) {
    Head answer;
    TRY(read_all(*line.client, bytes_of(answer)));
  }
  return {};
}

Status get_block(std::vector<Line>& lines, codec::ErasureCode code, MutableBytes block,
                 uint64_t number) {
  const codec::FragmentLayout layout(code, block.size());
  for (unsigned i = 0; i < code.k; ++i) {
    Head head{number * layout.longest_bytes(), layout.bytes_of(i)};
    const ByteView part = bytes_of(head);
    TRY(lines[i].client->write_all({&part, 1}));
  }
  for (unsigned i = 0; i < code.k; ++i) {
    TRY(read_all(*lines[i].client, block.subspan(layout.offset_of(i), layout.bytes_of(i))));
  }
  return {};
}

Status work(const Words& words, std::vector<std::unique_ptr<os::File>>& files,
            std::atomic<uint64_t>& next) {
  const codec::ErasureCoder coder(words.code);
  std::vector<Line> lines;
  for (unsigned i = 0; i < words.code.n(); ++i) {
    lines.push_back(TRY(connect(*files[i], words.puts)));
  }
  std::vector<std::byte> block(kBlockBytes, std::byte{0x5A});
  std::vector<std::byte> parity;
  Status done;
  for (uint64_t number = next++; number < words.blocks && done.ok(); number = next++) {
    std::memcpy(block.data(), &number, sizeof(number));
    done = words.puts ? put_block(lines, coder, block, parity, number)
                      : get_block(lines, words.code, block, number);
  }
  for (Line& line : lines) line.client->shutdown();
  return done;
}

Status measure(const std::vector<std::string>& given) {
  if (given.size() != 6 || (given[2] != "put" && given[2] != "get")) {
    return Error(Code::kInvalid, "see the top of bench/cluster_ceiling.cc for the words");
  }
  const Words words{given[1], given[2] == "put", TRY(codec::parse_code(given[3])),
                    TRY(parse_size(given[4])) / kBlockBytes,
                    static_cast<unsigned>(TRY(parse_size(given[5])))};
  std::vector<std::unique_ptr<os::File>> files;
  for (unsigned i = 0; i < words.code.n(); ++i) {
    files.push_back(TRY(os::real_file_system().open(
        fmt::format("{}/fragment{}", words.directory, i), os::OpenMode::kCreate)));
  }
  std::atomic<uint64_t> next = 0;
  const double cpu = cpu_seconds();
  const int64_t begun_ns = os::real_clock().monotonic_ns();
  os::Mutex mutex;
  Status failed;
  {
    std::vector<os::Thread> threads;
    for (unsigned i = 0; i < words.threads; ++i) {
      threads.emplace_back("ceiling", [&] {
        Status done = work(words, files, next);
        const os::Lock lock(mutex);
        if (!done.ok()) failed = std::move(done);
      });
    }
  }
  TRY(std::move(failed));
  const auto ns = static_cast<double>(os::real_clock().monotonic_ns() - begun_ns);
  fmt::print("{{\"objects\": {}, \"bytes\": {}, \"seconds\": {:.6f}, \"cpu_seconds\": {:.6f}}}\n",
             words.blocks, words.blocks * kBlockBytes, ns / 1e9, cpu_seconds() - cpu);
  return {};
}

}  // namespace

int main(int count, char** words) {
  const nacre::Status done = measure(std::vector<std::string>(words, words + count));
  if (done.ok()) return 0;
  fmt::print(stderr, "cluster_ceiling: {}\n", done.error().to_string());
  return 1;
}
