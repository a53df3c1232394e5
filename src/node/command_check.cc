// check and compact: whether everything is as it should be, and space given back now.
#include <fmt/format.h>

#include "keeper/keeper.h"
#include "node/commands.h"

namespace nacre::node {
namespace {

struct Counts {
  uint64_t problems = 0;
  uint64_t repaired = 0;
};

void report(Call& call, Counts& counts, Json item) {
  ++counts.problems;
  if (item["repaired"].get<bool>()) ++counts.repaired;
  call.events.item(std::move(item));
}

Status check_superblock(Call& call, bool repair, Counts& counts) {
  const std::vector<std::string> problems = call.directory.superblock_problems();
  if (!problems.empty() && repair) TRY(call.directory.mend_superblock());
  for (const std::string& problem : problems) {
    report(call, counts,
           {{"severity", "error"},
            {"kind", "superblock"},
            {"what", problem},
            {"where", call.directory.path()},
            {"repairable", true},
            {"repaired", repair}});
  }
  return {};
}

// What records hold is read by the volume's own check, as far as anybody needs it.
Status check_devices(Call& call, Counts& counts, Json& summary) {
  uint64_t records = 0;
  for (const auto& device : call.directory.devices().devices()) {
    call.events.progress({"checking " + device->name(), 0, 0, ""});
    const auto checked = TRY(device->check(false, [&](const device::Problem& problem) {
      report(call, counts,
             {{"severity", "error"},
              {"kind", "device"},
              {"what", problem.what},
              {"where", fmt::format("{}, segment {}, byte {}{}", device->name(), problem.segment,
                                    problem.offset_bytes,
                                    problem.id ? ", block " + to_hex(*problem.id) : "")},
              {"repairable", false},
              {"repaired", false}});
    }));
    records += checked.records;
  }
  summary["records"] = records;
  return {};
}

Status check_volume(Call& call, const keeper::CheckOptions& options, Counts& counts,
                    Json& summary) {
  const auto progress = [&](const keeper::CheckStage& stage) {
    return call.events.progress(
        {std::string(stage.name), stage.done, stage.total, options.deep ? "bytes" : "rows"});
  };
  const auto found = [&](const keeper::Finding& finding) {
    report(call, counts,
           {{"severity", finding.severity == keeper::Severity::kWarning ? "warning" : "error"},
            {"kind", keeper::name_of(finding.kind)},
            {"what", finding.what},
            {"where", finding.where},
            {"repairable", finding.repairable},
            {"repaired", finding.repaired}});
  };
  const auto checked = TRY(call.directory.keeper().check(options, progress, found));
  summary["inodes"] = checked.inodes;
  summary["names"] = checked.names;
  summary["extents"] = checked.extents;
  summary["past_rows"] = checked.past_rows;
  summary["changes"] = checked.changes;
  summary["blocks"] = checked.blocks;
  summary["bytes_read"] = checked.bytes_read;
  return {};
}

}  // namespace

Result<Json> run_check(Call& call) {
  keeper::CheckOptions options;
  options.deep = TRY(call.arguments.flag("deep"));
  options.repair = TRY(call.arguments.flag("repair"));
  TRY(call.arguments.finish());
  if (options.repair && call.directory.read_only()) {
    return Error(Code::kReadOnly, "repairing needs the volume open for writing");
  }
  TRY(settle(call));
  Counts counts;
  Json summary = Json::object();
  TRY(check_superblock(call, options.repair, counts));
  TRY(check_devices(call, counts, summary));
  TRY(check_volume(call, options, counts, summary));
  summary["problems"] = counts.problems;
  summary["repaired"] = counts.repaired;
  return summary;
}

Result<Json> run_compact(Call& call) {
  TRY(call.arguments.finish());
  TRY(settle(call));
  const auto report = [&](const keeper::CompactionTotals& totals) {
    return call.events.progress({"compacting", totals.examined, 0, "rows"});
  };
  const keeper::CompactionTotals totals = TRY(call.directory.keeper().compact(report));
  const uint64_t cleaned = TRY(call.volume().blocks().clean(UINT64_MAX));
  return Json{{"blocks_freed", totals.blocks_freed},
              {"bytes_written", totals.bytes_written},
              {"bytes_freed", totals.bytes_freed},
              {"bytes_cleaned", cleaned},
              {"damaged", totals.damaged}};
}

}  // namespace nacre::node
