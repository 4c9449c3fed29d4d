#include "framework/kernel/plan.h"
#include "framework/training/recording.h"
#include "tests/models/support.h"
#include <fmt/format.h>
namespace vitrine {
TEST_CASE("dump") {
  auto model = make_model(getenv("MODEL") ? getenv("MODEL") : "{type: vit, n_blocks: 1, n_patches: 7, hidden_d: 8, n_heads: 2}", images_of(1, 28, 28));
  Recording r = record(*model, {1, 28, 28});
  Program p = pruned(r.program, r.outputs);
  for (size_t i = 0; i < p.steps.size(); ++i) {
    const Step& s = p.steps[i];
    std::string line = fmt::format("{:3} {} [{}] (", i, s.operation, to_string(s.shape));
    for (auto k : s.inputs) line += fmt::format("{} ", k);
    line += ") ";
    for (auto n : s.numbers) line += fmt::format("{} ", n);
    for (auto u : s.parameters) line += u.index == ParameterUse::kNone ? " -" : fmt::format(" {}[{}+{}]", p.parameters[u.index].name, u.first, u.count);
    printf("%s\n", line.c_str());
  }
  PlanOptions o;
  o.pass = getenv("PASS") ? Pass::kBoth : Pass::kForward;
  o.trained.assign(p.parameters.size(), true);
  o.begins = {true};
  ExecutionPlan plan = make_plan(p, o);
  auto spot = [&](const Spot& s) { return s.exists() ? fmt::format("b{}@{}+{}/{}{}", s.buffer, plan.buffers[s.buffer].offset, s.offset, s.row, plan.buffers[s.buffer].is_kept ? "k" : "") : std::string("-"); };
  for (auto* list : {&plan.forward, &plan.backward}) {
    for (auto& a : *list) {
      std::string line = fmt::format("kind {} {} {}:", int(a.kind), a.step, p.steps[a.step].operation);
      for (auto& in : a.inputs) line += fmt::format(" in({} g {}{})", spot(in.value), spot(in.gradient), in.adds ? " adds" : "");
      line += fmt::format(" out({} g {}) size {} addend {} saved {} scratch {}", spot(a.output.value), spot(a.output.gradient), to_string(a.output.shape), spot(a.addend), spot(a.saved), spot(a.scratch));
      printf("%s\n", line.c_str());
    }
    printf("--\n");
  }
  printf("scratch %zu kept %zu out %s\n", plan.scratch, plan.kept, spot(plan.outputs[0]).c_str());
}
}
