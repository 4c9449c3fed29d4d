// Stamped, but without a component.
#include "framework/registry/register.h"
