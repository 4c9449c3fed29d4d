// The headers that all tests of a kind include are compiled with this (CMakeLists.txt); there is
// nothing in it. Its main is that of all tests.
