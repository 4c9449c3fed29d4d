#pragma once

namespace vitrine {

// Loads the libtorch that the engine is to find: of the version that it was built against, where
// that was, beside the program (in its folder torch/), or the PyTorch that python3 imports. Throws
// Error(kPlugin) where there is none, with what was found.
void load_libtorch();

}  // namespace vitrine
