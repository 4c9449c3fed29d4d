// What the helper links itself.
double deep_factor() { return VITRINE_TEST_FACTOR; }
