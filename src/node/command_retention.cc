// retention_show, retention_set, confirm_clock, prune: what history is kept.
#include <fmt/format.h>

#include "keeper/keeper.h"
#include "meta/moments.h"
#include "node/commands.h"
#include "node/path_argument.h"

namespace nacre::node {

Result<Json> run_retention_show(Call& call) {
  TRY(call.arguments.finish());
  const wire::StateRow state = call.volume().state();
  const keeper::Policy policy = keeper::policy_of(state);
  const Sequence oldest{std::max<uint64_t>(state.floor.value, 1)};
  return Json{{"keep_ns", policy.keep_ns},
              {"budget_percent", policy.history_budget_percent},
              {"clock_suspect", state.clock_suspect},
              {"oldest", oldest.value},
              {"oldest_time", json_of_time(call, oldest)}};
}

Result<Json> run_retention_set(Call& call) {
  const auto keep_ns = TRY(call.arguments.optional_number("keep_ns"));
  const auto budget_percent = TRY(call.arguments.optional_number("budget_percent"));
  TRY(call.arguments.finish());
  if (!keep_ns && !budget_percent) {
    return Error(Code::kInvalid, "say what to set: --keep or --budget");
  }
  keeper::Policy policy = keeper::policy_of(call.volume().state());
  policy.keep_ns = keep_ns.value_or(policy.keep_ns);
  policy.history_budget_percent = budget_percent.value_or(policy.history_budget_percent);
  TRY(keeper::set_policy(call.volume(), policy));
  return run_retention_show(call);
}

Result<Json> run_confirm_clock(Call& call) {
  TRY(call.arguments.finish());
  TRY(call.directory.keeper().confirm_clock());
  return run_retention_show(call);
}

Result<Json> run_prune(Call& call) {
  const auto before = TRY(call.arguments.optional_text("before"));
  TRY(call.arguments.finish());
  TRY(settle(call));
  const auto report = [&](const keeper::PruneTotals& totals) {
    return call.events.progress({"pruning", totals.visited, 0, "rows"});
  };
  keeper::Keeper& keeper = call.directory.keeper();
  keeper::PruneTotals totals;
  if (before) {
    totals = TRY(keeper.prune(TRY(moment_argument(call, *before)), report));
  } else {
    totals = TRY(keeper.prune_to_policy(report));
  }
  return Json{{"dropped", totals.dropped},
              {"pinned", totals.pinned},
              {"finished", totals.done},
              {"floor", call.volume().state().floor.value}};
}

}  // namespace nacre::node
