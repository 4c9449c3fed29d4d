// A library of a plug-in's own.
double deep_factor();
double helper_factor() { return deep_factor(); }
