// The table of checks. What is performed for each is in checker/, under the same id.
#include "core/validator/check.h"

namespace pganalytics::validator {

const std::vector<Check>& all_checks() {
  static const std::vector<Check> kChecks = {
      // The file, without running its code.
      {"E01", "it is a 64-bit shared object for this machine", "The host cannot load anything else.",
       "Link with -shared for the machine that runs the collector.", ""},
      {"E02", "one well-formed plugin note of a known ABI major",
       "`plugin list` and the host read the ABI and the id from it, without running code.",
       "Put PGA_NOTE(\"your_id\"); at file scope, once, and let no linker script or strip option drop .note.pganalytics.", "E01"},
      {"E03", "every symbol it needs is there when it is loaded",
       "A symbol that is missing at run time ends the worker in the middle of a run.",
       "Link every library it uses, and link with -Wl,-z,defs so that the linker finds what is missing.", "E01 E02 E04 E12"},
      {"E04", "pga_plugin_v1 is a global function", "It is the one symbol that the host looks up.",
       "Define PGA_EXPORT const pga_plugin *pga_plugin_v1(uint32_t), in C++ inside extern \"C\".", "E01"},
      {"W05", "it exports nothing but its entry", "Two plugins in one process would see each other's symbols.",
       "Link with a version script that keeps everything else local (sdk/cmake/plugin.version), or -fvisibility=hidden.", "E01"},
      {"W06", "it has no unique symbols (STB_GNU_UNIQUE)",
       "The loader merges them between plugins, whatever else keeps them apart: one writes what the other reads.",
       "Compile with -fno-gnu-unique, or keep all symbols local with a version script.", "E01"},
      {"E07", "no text relocations, no executable stack", "Either takes away a protection of the whole process.",
       "Compile with -fPIC; in assembly say .section .note.GNU-stack,\"\",@progbits.", "E01"},
      {"W08", "it is bound in full when loaded, then read-only (BIND_NOW, RELRO)",
       "Lazy binding finds a missing symbol at the worst time, and leaves a table of pointers writable.",
       "Link with -Wl,-z,relro,-z,now.", "E01"},
      {"E09", "no RPATH, and a RUNPATH from $ORIGIN only",
       "A folder that others may write, or that exists on the build machine only, decides what is loaded.",
       "Drop -Wl,-rpath, or name folders below $ORIGIN.", "E01"},
      {"W10", "no SONAME of something else, no library of the host",
       "A library that comes later is not loaded when its name is taken; a host-private library changes with every release.",
       "Link as a module, without -soname; talk to the host through pga_host only.", "E01"},
      {"W11", "it has a build id", "Quarantine and crash reports tell builds apart by it.", "Link with -Wl,--build-id.", "E01"},
      {"E12", "only root or you can change the file and the folders above it",
       "Who can write the file runs code in the collector's name: the host refuses such a file.",
       "chown and chmod go-w the file and the folders named.", "E01"},
      {"W13", "the libraries it needs come from the system's folders",
       "What lies elsewhere is not there on another machine, or is another version.",
       "Depend on packaged libraries, or link them statically.", "E03"},
      // Loading it.
      {"E14", "it loads within 100 ms and prints nothing", "Workers start often; standard output is not the plugin's.",
       "Do nothing in constructors of static objects; use pga_host.log to speak.", "E03"},
      {"E15", "the entry is pure: one pointer, on any thread", "The host keeps what the first call returned.",
       "Return the address of one static const table.", "E03"},
      {"E16", "loading changes nothing of the process",
       "Signal handlers, locale, folder, umask and environment belong to the host and to every plugin in it.",
       "Do it in create() or not at all; never touch what belongs to the process.", "E03"},
      {"E17", "its tables are complete", "The host reads members up to struct_size and calls them.",
       "Set struct_size = sizeof, abi_minor = PGA_ABI_MINOR, and every call that may not be NULL.", "E03"},
      {"E18", "it takes hosts of any minor", "A newer host must not break an old plugin.",
       "Return the same table whatever host_minor is; use min_host_minor in the descriptor for what is really needed.", "E17"},
      {"E19", "its descriptor is well-formed and agrees with its note",
       "The id is the plugin's name in configuration, storage and state.",
       "Mend the member named; the rules stand beside each in plugin.h.", "E02 E17"},
      {"E20", "its schemas are in the dialect, and defaults fit", "The host refuses a schema that it cannot enforce in full.",
       "Mend the schema at the place named; docs/plugin/validator.md and the guide list the keywords.", "E17"},
  };
  return kChecks;
}

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass: return "pass";
    case Verdict::kFail: return "fail";
    case Verdict::kSkip: return "skip";
  }
  return "";
}

std::optional<Verdict> verdict_named(std::string_view name) {
  for (const Verdict verdict : {Verdict::kPass, Verdict::kFail, Verdict::kSkip}) {
    if (name == name_of(verdict)) return verdict;
  }
  return std::nullopt;
}

}  // namespace pganalytics::validator
