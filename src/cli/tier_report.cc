#include "cli/tier_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"
#include "cli/output.h"
#include "cli/text.h"
#include "node/metrics_text.h"

namespace nacre::cli {
namespace {

bool has_text(const node::Json& object, std::string_view field) {
  const std::string text = cell(object, field);
  return !text.empty() && text != "-";
}

std::string age_cell(const node::Json& dirty) {
  if (!dirty.contains("oldest_ns") || !dirty["oldest_ns"].is_number()) return "";
  return ", the oldest for " + duration_text(dirty["oldest_ns"].get<int64_t>() / 1'000'000'000);
}

std::string upload_text(const node::Json& upload, uint64_t dirty_bytes) {
  if (flag(upload, "paused")) return "paused: nacre tier resume goes on";
  if (has_text(upload, "trouble")) return "waits: " + cell(upload, "trouble");
  const uint64_t rate = number(upload, "bytes_per_second");
  if (rate == 0) return "well";
  const uint64_t left_seconds = dirty_bytes / rate;
  return format_size(rate) + "/s" +
         (left_seconds == 0 ? ""
                            : ", " + duration_text(static_cast<int64_t>(left_seconds)) + " to go");
}

}  // namespace

std::string tier_text(const node::Json& status) {
  const node::Json& cache = part(status, "cache");
  const node::Json& dirty = part(status, "dirty");
  const node::Json& remote = part(status, "remote");
  const node::Json& fetch = part(status, "fetch");
  std::string report;
  const auto line = [&report](const char* name, const std::string& text) {
    report += fmt::format("{:<10} {}\n", name, text);
  };
  line("bucket", fmt::format("{} at {}{}", cell(status, "bucket"), cell(status, "endpoint"),
                             flag(status, "sealed") ? ", sealed" : ""));
  line("disk",
       fmt::format("{} of {}", size_cell(cache, "used_bytes"), size_cell(cache, "target_bytes")));
  line("to upload", fmt::format("{} in {} blocks{}", size_cell(dirty, "bytes"),
                                cell(dirty, "blocks"), age_cell(dirty)));
  line("uploads", upload_text(part(status, "upload"), number(dirty, "bytes")));
  line("in bucket",
       fmt::format("{} in {} blocks; {} in {} packs", size_cell(remote, "bytes"),
                   cell(remote, "blocks"), size_cell(remote, "pack_bytes"), cell(remote, "packs")));
  const node::Json& rows = part(status, "rows");
  line("safe", fmt::format("up to {}{}", time_cell(rows, "shipped_time"),
                           has_text(rows, "trouble") ? "; waits: " + cell(rows, "trouble") : ""));
  for (const node::Json& pin : part(status, "pins")) {
    line("pinned", fmt::format("{}, {}, of which {} are to be fetched", cell(pin, "path"),
                               size_cell(pin, "bytes"), size_cell(pin, "missing_bytes")));
  }
  const node::Json& compaction = part(status, "compaction");
  if (const uint64_t packs = number(compaction, "packs_written")) {
    line("compacted",
         fmt::format("{} packs written anew, {}", packs, size_cell(compaction, "bytes_written")));
  }
  line("evicted",
       fmt::format("{} blocks since the volume was opened", cell(cache, "blocks_evicted")));
  line("fetched",
       fmt::format("{} in {} requests", size_cell(fetch, "bytes"), cell(fetch, "requests")));
  if (const uint64_t damaged = number(part(status, "upload"), "damaged_blocks")) {
    line("damaged",
         fmt::format("{} blocks are damaged on the disk and cannot be uploaded", damaged));
  }
  return report;
}

std::string tier_metrics(const node::Json& status, const std::string& volume) {
  using enum node::MetricsText::Kind;
  node::MetricsText text;
  const node::MetricLabels labels{{"volume", volume}};
  const auto add = [&](std::string_view name, node::MetricsText::Kind kind, std::string_view help,
                       auto value) {
    text.family(name, kind, help);
    text.sample(value, labels);
  };
  const node::Json& cache = part(status, "cache");
  const node::Json& dirty = part(status, "dirty");
  const node::Json& upload = part(status, "upload");
  const node::Json& fetch = part(status, "fetch");
  const node::Json& rows = part(status, "rows");
  const node::Json& remote = part(status, "remote");
  const node::Json& compaction = part(status, "compaction");
  uint64_t pinned_bytes = 0;
  uint64_t pinned_missing_bytes = 0;
  for (const node::Json& pin : part(status, "pins")) {
    pinned_bytes += number(pin, "bytes");
    pinned_missing_bytes += number(pin, "missing_bytes");
  }
  add("nacre_tier_cache_target_bytes", kGauge, "The most that the volume may take of the disk.",
      number(cache, "target_bytes"));
  add("nacre_tier_cache_used_bytes", kGauge, "What the volume takes of the disk.",
      number(cache, "used_bytes"));
  add("nacre_tier_blocks_evicted_total", kCounter, "Blocks that left the disk.",
      number(cache, "blocks_evicted"));
  add("nacre_tier_dirty_bytes", kGauge, "What is on the disk and not in the bucket yet.",
      number(dirty, "bytes"));
  add("nacre_tier_dirty_blocks", kGauge, "Blocks that wait to be uploaded.",
      number(dirty, "blocks"));
  add("nacre_tier_oldest_dirty_seconds", kGauge, "For how long the oldest of them waits.",
      static_cast<double>(number(dirty, "oldest_ns")) / 1e9);
  add("nacre_tier_upload_bytes_per_second", kGauge, "How fast uploads go, lately.",
      number(upload, "bytes_per_second"));
  add("nacre_tier_uploaded_bytes_total", kCounter, "Bytes of packs that were uploaded.",
      number(upload, "bytes"));
  add("nacre_tier_uploaded_packs_total", kCounter, "Packs that were uploaded.",
      number(upload, "packs"));
  add("nacre_tier_upload_failures_total", kCounter, "Uploads that failed and are tried again.",
      number(upload, "failures"));
  add("nacre_tier_damaged_blocks", kGauge, "Blocks that are damaged on the disk and stay there.",
      number(upload, "damaged_blocks"));
  add("nacre_tier_uploads_paused", kGauge, "1 while uploads are paused by command.",
      flag(upload, "paused") ? 1 : 0);
  add("nacre_tier_uploads_wait", kGauge, "1 while the last upload failed.",
      has_text(upload, "trouble") ? 1 : 0);
  add("nacre_tier_fetches_total", kCounter, "Requests for data that was not on the disk.",
      number(fetch, "requests"));
  add("nacre_tier_fetched_bytes_total", kCounter, "Bytes that they brought.",
      number(fetch, "bytes"));
  add("nacre_tier_damaged_answers_total", kCounter, "Of them, those that failed their checksum.",
      number(fetch, "damaged_answers"));
  add("nacre_tier_packs", kGauge, "Packs of which something is needed.", number(remote, "packs"));
  add("nacre_tier_dead_packs", kGauge, "Packs of which nothing is needed and that are to go.",
      number(remote, "dead_packs"));
  add("nacre_tier_pack_bytes", kGauge, "Bytes of the packs of which something is needed.",
      number(remote, "pack_bytes"));
  add("nacre_tier_live_bytes", kGauge, "Bytes that are needed of them.", number(remote, "bytes"));
  add("nacre_tier_pinned_bytes", kGauge, "Bytes that were told to stay on the disk.", pinned_bytes);
  add("nacre_tier_pinned_missing_bytes", kGauge, "Of them, those that are still to be fetched.",
      pinned_missing_bytes);
  add("nacre_tier_compacted_packs_total", kCounter, "Packs that were written anew.",
      number(compaction, "packs_written"));
  add("nacre_tier_compaction_bytes_total", kCounter, "Bytes of those.",
      number(compaction, "bytes_written"));
  add("nacre_tier_orphans_removed_total", kCounter, "Packs removed that no row led to.",
      number(compaction, "orphans_removed"));
  add("nacre_tier_damaged_packs", kGauge, "Packs that could not be written anew: they are damaged.",
      number(compaction, "damaged_packs"));
  add("nacre_tier_row_batches_behind", kGauge,
      "Batches of names and history that are not in the bucket yet.",
      number(rows, "last_batch") -
          std::min(number(rows, "last_batch"), number(rows, "shipped_batch")));
  add("nacre_tier_rows_wait", kGauge, "1 while names and history cannot be uploaded.",
      has_text(rows, "trouble") ? 1 : 0);
  return text.take();
}

}  // namespace nacre::cli
