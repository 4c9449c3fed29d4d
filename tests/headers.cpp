// The headers that all tests of a kind include are compiled with this (CMakeLists.txt); there is
// nothing else in it.
int main() {}
