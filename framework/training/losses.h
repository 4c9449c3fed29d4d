#pragma once

#include <memory>
#include <string>
#include <vector>

#include "framework/model/loss.h"

// Which loss serves which task: its own; else that of the config, where it suits the task's type;
// else the usual one of its type.
namespace vitrine {

// Whether both are of one type with the same options.
bool is_same(const Choice<Loss>& a, const Choice<Loss>& b);
bool suits(const Choice<Loss>& loss, const Task& task);
Choice<Loss> loss_for(const Choice<Loss>& of_config, const Task& task);
// The losses of all tasks as one.
std::shared_ptr<Loss> make_losses(const Choice<Loss>& of_config, const std::vector<Task>& tasks);

// Reports what does not go together. The default may stand as the config's loss whatever the tasks:
// a resolved config spells everything out.
void check_losses(const Choice<Loss>& of_config, bool is_default, const std::vector<Task>& tasks,
                  Problems& problems);

// What a loss or metric says that is for other tasks than these: "focal is for classification, and
// this task is regression: for regression there are huber, mse". `types`: of what it is for,
// `wanted`: of the tasks.
std::string misfit_text(const std::string& kind, const std::string& name,
                        const std::vector<TaskType>& types, const std::vector<Task>& tasks);

}  // namespace vitrine
