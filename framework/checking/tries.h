#pragma once

#include "framework/checking/tryout.h"
#include "framework/engine/check.h"

// What is tried with every component that trains, each in a process of its own. Tryouts name runs
// that others have left: "whole" was trained to the end.
namespace vitrine {

// Trains a run "whole" to the end.
Finding try_whole(const Tryout& tryout);
// Trains it again.
Finding try_again(const Tryout& tryout);
// Compares with what is trained without this key of the config.
Finding try_without(const Tryout& tryout, const std::string& key);
// Trains it with several threads.
Finding try_threads(const Tryout& tryout);
// Compares what was stopped after `step` and resumed.
Finding try_stopping(const Tryout& tryout, int64_t step);
Finding try_resuming(const Tryout& tryout, int64_t step);
// Compares outputs and gradients of the ways to execute the experiment.
Finding try_backends(const Tryout& tryout);
// Whether each parameter that is trained has a gradient.
Finding try_gradients(const Tryout& tryout);
// Whether an experiment adds up gradients by their shares.
Finding try_share(const Tryout& tryout);
// Compares the loss of a batch with that of the same images in another order.
Finding try_order(const Tryout& tryout);
// Tests the run as its end has.
Finding try_test(const Tryout& tryout);
// Loads model.safetensors, and compares with the checkpoint that it was made of.
Finding try_export(const Tryout& tryout);
// Whether an image's outputs depend on the others of its batch.
Finding try_batches(const Tryout& tryout);

}  // namespace vitrine
