#include "framework/training/losses.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "framework/training/metric.h"

namespace vitrine {
namespace {

bool is_among(TaskType type, const std::vector<TaskType>& types) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

template <class Base>
Choice<Base> default_of(const std::string& name) {
  Choice<Base> out(name);
  Problems none;
  out.read_default(KindOf<Base>::kKind, none);
  return out;
}

// The components of a kind that are for tasks of a type.
std::vector<std::string> names_for(const std::string& kind, TaskType type) {
  std::vector<std::string> out;
  for (const std::string& name : Registry::instance().names(kind)) {
    const auto types = kind == Loss::kKind
                           ? default_of<Loss>(name).options<LossOptions>().types
                           : default_of<Metric>(name).options<MetricOptions>().types;
    if (is_among(type, types)) out.push_back(name);
  }
  return out;
}

// Of several tasks each has its own.
class LossesOfTasks : public Loss {
 public:
  LossesOfTasks(const Choice<Loss>& of_config, const std::vector<Task>& tasks) {
    for (const Task& task : tasks) {
      const Choice<Loss> choice = loss_for(of_config, task);
      LossContext context;
      for (const Task& other : tasks) {
        if (is_same(loss_for(of_config, other), choice)) context.tasks.push_back(other);
      }
      losses_[task.name] = choice.create(context);
    }
  }

  Value forward(const Value& output, const Value& target, const Task& task) override {
    return of(task)(output, target, task);
  }
  // Of the sum of all.
  std::string unit() const override {
    const std::string first = told(*losses_.begin()->second, "unit", &Loss::unit);
    const bool all = std::all_of(losses_.begin(), losses_.end(), [&](const auto& each) {
      return told(*each.second, "unit", &Loss::unit) == first;
    });
    return all ? first : "";
  }
  std::string warning() const override {
    for (const auto& [task, loss] : losses_) {
      if (const std::string text = told(*loss, "warning", &Loss::warning); !text.empty())
        return text;
    }
    return "";
  }
  Loss& of(const Task& task) override { return *losses_.at(task.name); }

 private:
  std::map<std::string, std::shared_ptr<Loss>> losses_;
};

}  // namespace

bool is_same(const Choice<Loss>& a, const Choice<Loss>& b) {
  return a.write().json() == b.write().json();
}

bool suits(const Choice<Loss>& loss, const Task& task) {
  return is_among(task.type, loss.options<LossOptions>().types);
}

Choice<Loss> loss_for(const Choice<Loss>& of_config, const Task& task) {
  if (task.loss) return *task.loss;
  return suits(of_config, task) ? of_config : default_of<Loss>(task.usual_loss);
}

std::shared_ptr<Loss> make_losses(const Choice<Loss>& of_config, const std::vector<Task>& tasks) {
  const bool same = std::all_of(tasks.begin(), tasks.end(), [&](const Task& task) {
    return is_same(loss_for(of_config, task), loss_for(of_config, tasks[0]));
  });
  if (!same) return std::make_shared<LossesOfTasks>(of_config, tasks);
  return (tasks.empty() ? of_config : loss_for(of_config, tasks[0])).create({tasks});
}

void check_losses(const Choice<Loss>& of_config, bool is_default, const std::vector<Task>& tasks,
                  Problems& problems) {
  const auto refuse = [&](const Choice<Loss>& loss, const std::string& why) {
    problems.add(loss.node().location, loss.path() + ": " + why);
  };
  std::vector<Task> served, without;
  for (const Task& task : tasks) {
    if (!task.loss) {
      without.push_back(task);
      if (suits(of_config, task)) served.push_back(task);
    } else if (suits(*task.loss, task)) {
      task.loss->check({{task}}, problems);
    } else {
      refuse(*task.loss, misfit_text(Loss::kKind, task.loss->type(),
                                     task.loss->options<LossOptions>().types, {task}));
    }
  }
  if (!served.empty()) return of_config.check({served}, problems);
  if (is_default) return;
  if (without.empty()) return refuse(of_config, "has no effect: every task has a loss of its own");
  refuse(of_config, misfit_text(Loss::kKind, of_config.type(),
                                of_config.options<LossOptions>().types, without));
}

std::string misfit_text(const std::string& kind, const std::string& name,
                        const std::vector<TaskType>& types, const std::vector<Task>& tasks) {
  std::vector<std::string> fitting, wanted;
  for (const TaskType type : types) fitting.push_back(to_string(type));
  for (const TaskType type : kTaskTypes) {
    const bool is_there = std::any_of(tasks.begin(), tasks.end(),
                                      [&](const Task& task) { return task.type == type; });
    if (is_there && !is_among(type, types))
      wanted.push_back(fmt::format("for {} there are {}", to_string(type),
                                   fmt::join(names_for(kind, type), ", ")));
  }
  std::vector<std::string> which;
  for (const Task& task : tasks)
    which.push_back(fmt::format("{} is {}", task.name, to_string(task.type)));
  return fmt::format("{} is for {}, and the task {}; {}", name, fmt::join(fitting, " and "),
                     fmt::join(which, ", "), fmt::join(wanted, "; "));
}

}  // namespace vitrine
