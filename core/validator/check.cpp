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
      // An instance's life.
      {"E21", "an extension that it does not have is NULL", "The host asks for ids that come later than the plugin.",
       "Compare the whole id, and return NULL for every other.", "E24"},
      {"E22", "a thousand lives leave nothing behind",
       "A worker lives for months, and each configuration that needs a restart is another life.",
       "Free, close and join in destroy() what create() and configure() made.", "E24"},
      {"E23", "destroy() may come at any time after create()", "An instance whose configuration was refused is destroyed too.",
       "Let create() set every member, and destroy() take what it finds.", "E25"},
      {"E24", "its defaults and documented examples are accepted",
       "The first thing that an operator tries is what the schema shows.",
       "Accept them, or change the default or the example. Give keys that are required an example that works.",
       "E18 E19 E20 E52"},
      {"E25", "odd configurations are refused with a message, or taken",
       "The schema lets through what nobody thought of; configure() is the last that looks.",
       "Check every value; return PGA_E_CONFIG and name the key in error->message.", "E24"},
      {"E26", "a dry run of configure() changes nothing",
       "The host tries a configuration before it is in force, in the running instance.",
       "Parse into a copy, and take it over only if dry_run is 0.", "E31"},
      {"E27", "a refused configuration leaves the old one in force", "A reload that fails must not stop or change what runs.",
       "Parse into a copy, and take it over once all of it is good.", "E25 E31"},
      {"E28", "a hundred reconfigurations leave nothing behind",
       "Configurations are changed from afar, as often as somebody likes.", "Free what the previous configuration needed.",
       "E25 E31"},
      {"E29", "two instances do not mix, and run at the same time",
       "With isolation = \"thread\" plugins and instances share a process.",
       "Keep everything in what *self points to, nothing in global variables; or say PGA_F_SINGLETON.", "E42"},
      {"E30", "calls may come on any thread, and it calls back within them only",
       "The host makes one call at a time, each on a thread it has at hand.",
       "Use no thread-local memory between calls, and call state_get() and the like on the thread of the call; or say "
       "PGA_F_AFFINE.",
       "E31"},
      // What a run yields.
      {"E31", "a run emits whole JSON objects", "One document that is none fails the run, and all its documents with it.",
       "Write documents with a JSON library: UTF-8, no NaN, no key twice, at most max_document_bytes.", "E24"},
      {"E32", "its documents are valid against its output schema", "What does not fit is refused, and the run with it.",
       "Mend the document or the schema at the place named.", "E31"},
      {"E33", "counters do not go back", "Rates of a counter that goes back are nonsense.",
       "Keep the sum over restarts, declare it gauge or updown, or emit a time such as stats_reset beside it when counting "
       "begins anew.",
       "E32"},
      {"W34", "what is called a gauge does not count", "A counter declared gauge is shown as a line that only climbs.",
       "Declare it \"x-kind\": \"counter\".", "E32"},
      {"E35", "a run that went well has something to say", "Nobody can tell an empty answer from a plugin that does nothing.",
       "Emit a document with nulls and \"errors\", or return why there is none. Plugins of events (\"x-kind\": \"event\") may be "
       "silent.",
       "E31"},
      {"E36", "when emit() fails, collect() returns the failure soon",
       "The run is lost already; each further document is work for nothing, and PGA_OK hides the loss.",
       "Look at what emit() returns, and return it.", "E31"},
      {"E37", "state that is refused, missing or rubbish does not break it",
       "State is what an older version left, a disk was full, a key was never there.",
       "Look at what state_get() and state_set() return; take a value for what it is: bytes from outside.", "E31"},
      {"E38", "a run that was lost is made up for",
       "A host may die between collect() and the commit; a cursor kept elsewhere than in state_set() has then moved on without "
       "its data.",
       "Keep cursors with state_set() inside collect(), nowhere else. What comes and goes by itself (sessions, work under way) "
       "looks the same: switch it off in the file that --config names.",
       "E32"},
      {"E39", "secrets appear in nothing it says", "Documents and logs travel, and are kept for long.",
       "Never put a secret or a connection string into a message, a document or a log line.", "E24"},
      {"E40", "older and newer hosts will do", "The host grows its tables; it will not ask before.",
       "Compare sizes with PGA_HAS() only, never with sizeof.", "E31"},
      {"E41", "it stays within the host's tables and texts, and writes to none", "Beyond lies the host's memory.",
       "Read len bytes of a pga_str and no NUL after it; read members after PGA_HAS(); cast no const away.", "E31"},
      {"E42", "it keeps no pointer that was lent for a call", "The memory is another's once the call has returned.",
       "Copy what is to be kept.", "E31"},
      // Time.
      {"E43", "with a deadline that has passed it returns soon", "Two seconds after the deadline the worker is killed.",
       "Compute what is left once, treat less than nothing as nothing, and poll cancel_fd beside every wait.", "E31"},
      {"E44", "cancel() may come at any moment, and more than once",
       "The host cancels when the time is up, wherever the plugin is.",
       "Let cancel() only set a flag or write to an eventfd of the instance; do not read or close cancel_fd.", "E42"},
      {"E45", "a target that does not answer does not hold it", "A server that hangs is when monitoring is wanted most.",
       "Connect and read without blocking, and poll cancel_fd with the time that is left.", "E31"},
      {"E46", "clocks that jump do not break it", "Wall clocks are set, back too.",
       "Measure spans with CLOCK_MONOTONIC; treat a span of nothing or less as unknown.", "E32"},
      {"E47", "its worker ends in order while a run is under way",
       "A worker that has to be killed loses what it held, and the stop of the service waits for it.",
       "Return from collect() soon after the cancel, and let destroy() wait for nothing but its own threads.", "E32 E44"},
      {"E48", "it does in its sandbox what it does outside",
       "The host lets it touch what its needs and its configuration say, and nothing else.",
       "Declare what it touches in needs (PGA_NEED_), and give keys that name files \"format\": \"path-read\".", "E32 E42"},
      // Limits and manners.
      {"E49", "having no descriptor left, or being interrupted, does not break it",
       "On a database host that is in trouble, monitoring is needed.",
       "Look at what open() and its like return; try again after EINTR; return a status.", "E31"},
      {"W51", "a thousand runs need no more memory than one", "A worker at its memory limit is killed.",
       "Free at the end of a run what it needed.", "E42"},
      {"E52", "no exception, crash or exit comes out of its first run", "An exception that crosses the C ABI ends the process.",
       "Catch everything at the boundary (plugin.hpp does), end each text in pga_error with a NUL, never call exit().", "E20"},
      {"W53", "a healthy run logs a line at most, and no error", "Logs that are full of nothing are not read.",
       "Say it in the document, or at PGA_LOG_DEBUG.", "E31"},
      {"E54", "files full of garbage do not break it", "What a path leads to is not the operator's choice alone.",
       "Check what is read before it goes into a document: numbers as numbers, texts as UTF-8, escaped.", "E32"},
      {"W55", "an allocation that fails ends in a status, not in a crash",
       "With isolation = \"thread\" the collector would go with it; a worker of its own is only started again.",
       "Look at what malloc() returns. Rust and some libraries end the process instead: then this stays a warning.", "E49"},
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
