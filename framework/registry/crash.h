#pragma once

namespace vitrine {

// From now on, a crash (a signal such as SIGSEGV, or a call of exit) of what a component does is
// told to `descriptor`, between `before` and `behind`, as its exceptions are: `mlp "mine"
// (mine.cpp:31), constructor: crashes: Segmentation fault`. It ends the process with the exit code
// of these. One elsewhere is left as it is. Called in the main thread, which counts for threads
// that run for a component.
void tell_crashes(int descriptor, const char* before, const char* behind);

}  // namespace vitrine
