// The header as a C++11 plugin author's compiler reads it.
#include <type_traits>

#include "tests/abi/layout.h"

static_assert(std::is_standard_layout<pga_host>::value && std::is_trivial<pga_host>::value, "pga_host is plain data");
static_assert(std::is_standard_layout<pga_run>::value && std::is_trivial<pga_run>::value, "pga_run is plain data");
static_assert(std::is_standard_layout<pga_plugin>::value && std::is_trivial<pga_plugin>::value, "pga_plugin is plain data");
static_assert(std::is_standard_layout<pga_descriptor>::value && std::is_trivial<pga_descriptor>::value,
              "pga_descriptor is plain data");
static_assert(std::is_same<pga_status, int32_t>::value, "a status is an int32_t");
static_assert(std::is_same<decltype(&pga_plugin_v1), const pga_plugin* (*)(uint32_t)>::value, "the entry function's type");

int main() { return 0; }
