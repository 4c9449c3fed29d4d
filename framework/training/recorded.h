#pragma once

#include <string>

namespace vitrine {

// A model by the program that a model file carries, in the place of parts that may not be there any
// more: {type: NAME, file: FILE, tasks: [...]}, with the tasks of the model that it was. It is for
// tests, and no choice for users, so it is registered only once it is asked for.
// Its name in the registry.
const std::string& recorded_model();
// By who has it.
bool provide_recorded_model(const std::string& name, void (*register_it)());

}  // namespace vitrine
