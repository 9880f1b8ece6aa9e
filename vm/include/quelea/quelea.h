/* The public C interface of Quelea.
 *
 * A virtual machine is an object. A host makes one from a configuration, gives it source text or
 * compiled modules, calls into it and destroys it; many machines live in one host and share
 * nothing. The library never prints, never exits, installs no signal handlers and keeps no global
 * state: what it has to say goes to the host's callbacks or comes back as a result.
 *
 * The usual course:
 *
 *     quelea_config config;
 *     quelea_config_init(&config);
 *     config.write = my_write;
 *     quelea_vm* vm = quelea_vm_create(&config);
 *     quelea_compilation* code = quelea_compile(vm, "hello.qu", text, length, NULL);
 *     if (quelea_compilation_ok(code) && quelea_vm_load_compilation(vm, code) == QUELEA_OK)
 *       quelea_vm_run_main(vm, quelea_compilation_main(code), &exit_status);
 *     else
 *       fputs(quelea_compilation_diagnostics(code), stderr);
 *     quelea_compilation_destroy(code);
 *     quelea_vm_destroy(vm);
 *
 * Why it has this shape:
 * - Compiling and loading are two steps, because a host may compile once and load the bytes (`.qb`)
 * in many machines, or load bytes and never compile. Loading verifies: malformed bytes are refused
 * and can harm nothing.
 * - Structures that a host fills start with their size, which the `_init` functions set, so that a
 *   host built against an older header goes on working with a newer library.
 * - Values cross the border in Erlang's external term format, which every language can write, or as
 *   text; a host never holds a pointer into a process's heap, because a collection moves it.
 *
 * Ownership: what a function named `..._create`, `quelea_compile` or `quelea_disassemble` returns
 * belongs to the caller, who gives it back to the matching function. A `const char*` that comes
 * from an object lives as long as that object. What the host passes in is copied where it is needed
 * longer than the call, callbacks and their `user` pointers excepted: those must outlive the
 * machine.
 *
 * Threads: one machine is used by one host thread at a time; `quelea_vm_interrupt` alone may be
 * called from any thread and from a signal handler. Different machines need no coordination.
 *
 * Memory: where the system refuses some, a process ends or gets an exception, and programs go on.
 * Where the library itself cannot do without, the call returns QUELEA_NO_MEMORY, or what is said at
 * the function, and nothing is half done: what was loaded is loaded, and machine and compilation
 * can be used as before. Callbacks must not throw.
 *
 * Callbacks are called while the host is in a call of that machine, on the thread that calls or on
 * a thread that the machine made, and need no lock of their own: at most one of `write`,
 * `try_write`, `flush`, `log` and `trace` runs at a time, and at most one `read`, which may run
 * beside one of the others. What one machine's callbacks share with another's, or with the rest of
 * the host, is the host's to guard. A callback must not call into its machine,
 * `quelea_vm_interrupt` excepted.
 */
#ifndef QUELEA_QUELEA_H
#define QUELEA_QUELEA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library, for example "0.1.0"; a static string. */
const char* quelea_version(void);

/* A machine with its processes, modules and atoms. */
typedef struct quelea_vm quelea_vm;

/* What compiling one source text gave: modules, or diagnostics, or both (warnings). */
typedef struct quelea_compilation quelea_compilation;

typedef enum quelea_status {
  QUELEA_OK = 0,
  QUELEA_COMPILE_ERROR = 1, /* The source has errors; the compilation's diagnostics say which. */
  QUELEA_LOAD_ERROR = 2,    /* Bytecode was refused, or a module could not be linked. */
  QUELEA_RAISED = 3,        /* An exception that nothing caught; quelea_vm_error has the report. */
  QUELEA_NOT_FOUND = 4,     /* No such module or function. */
  QUELEA_INTERRUPTED = 5,   /* quelea_vm_interrupt ended the call. */
  QUELEA_BAD_ARGUMENT = 6,  /* The host passed something that makes no sense. */
  QUELEA_NO_MEMORY = 7      /* The system has none left for the call; the machine can go on. */
} quelea_status;

typedef enum quelea_log_level {
  QUELEA_LOG_DEBUG = 0,
  QUELEA_LOG_INFO = 1,
  QUELEA_LOG_WARNING = 2,
  QUELEA_LOG_ERROR = 3
} quelea_log_level;

/* How a machine is made. Zero or NULL means the default everywhere. */
typedef struct quelea_config {
  /* Set by quelea_config_init; do not touch. */
  size_t struct_size;

  /* Passed to every callback as it is. */
  void* user;

  /* Takes what programs write to standard output (fd 1) and standard error (fd 2). `bytes` is valid
   * during the call alone. Return false when nothing more can be written there: the program sees
   * an error of the name that errno has then (`:enospc`), `:epipe` where errno is 0. NULL: output
   * is thrown away. Buffering is the host's business. May wait, but see `try_write`. */
  bool (*write)(void* user, int fd, const char* bytes, size_t length);

  /* Pushes what `write` buffered to its destination; called before the machine stops and before it
   * writes a report to standard error. NULL: nothing to do. */
  void (*flush)(void* user, int fd);

  /* Reads up to `capacity` bytes of standard input into `buffer`; may block. Returns the number of
   * bytes, 0 at the end of the input, a negative errno on failure. NULL: the input is empty. */
  ptrdiff_t (*read)(void* user, char* buffer, size_t capacity);

  /* Takes the machine's own remarks (never a program's output), one line without a newline at its
   * end. NULL: they are dropped. */
  void (*log)(void* user, quelea_log_level level, const char* text, size_t length);

  /* Folders in which modules are searched on first use, in this order, before the embedded library:
   * `Chat.Room` is chat/room.qu or chat/room.qb in one of them. The folder of a script that runs
   * comes first; the working directory is not searched unless it is named here. Copied.
   * NULL: only the library. */
  const char* const* paths;
  size_t path_count;

  /* What `System.argv()` gives. Copied. NULL: an empty list. */
  const char* const* arguments;
  size_t argument_count;

  /* A limit of the memory of all processes together, in bytes. 0: none. A process that would go
   * past it is killed, with a report. */
  uint64_t max_memory_bytes;

  /* How many processes may live at a time. 0: as many as memory allows. */
  uint64_t max_processes;

  /* How many threads run processes while a call into the machine lasts; the calling thread is one
   * of them. More start only when there is work for them, and when the call returns they have
   * ended. 0: the calling thread alone, and no other thread is ever made; then what blocks (reading
   * a file or the standard input, writing to a reader that has stopped) holds up all processes. The
   * callbacks above are called on any of them, one call at a time. */
  unsigned schedulers;

  /* Seeds what is random unless a program seeds it. 0: from the system. */
  uint64_t seed;

  /* The seed, 0 too, decides everything: which process runs next and for how long, what is random,
   * and what the time is (it is virtual: nothing really sleeps). The same seed gives the same run;
   * files and other programs are outside of that (docs/design/deterministic.md). */
  bool deterministic;

  /* Takes a line, without a newline at its end, for each slice that a deterministic machine runs:
   * virtual time in nanoseconds, pid, how many reductions the slice may take. NULL: none. */
  void (*trace)(void* user, const char* line, size_t length);

  /* The same as `write`, but never waits: returns how many of the bytes were taken, which may be
   * none, or -1 where `write` returns false. With it a machine of several processes asks here
   * first, and what is not taken goes to `write` on a thread that no process needs: so a reader
   * that has stopped holds up only who writes. After `quelea_vm_interrupt` a `write` that still
   * waits holds up the end; it should give up. `log` should not wait either. NULL: `write` is
   * called on threads that run processes, and holds them up while it waits. */
  ptrdiff_t (*try_write)(void* user, int fd, const char* bytes, size_t length);
} quelea_config;

/* Fills `config` with the defaults. */
void quelea_config_init(quelea_config* config);

/* Makes a machine, or NULL when memory is short or the configuration makes no sense. `config` may
 * be NULL for the defaults and need not outlive the call. Nothing is loaded and nothing runs yet.
 */
quelea_vm* quelea_vm_create(const quelea_config* config);

/* Ends all processes without running any of their code and gives all memory back. NULL is fine. */
void quelea_vm_destroy(quelea_vm* vm);

/* --- Compiling -----------------------------------------------------------------------------------
 */

typedef struct quelea_compile_options {
  /* Set by quelea_compile_options_init; do not touch. */
  size_t struct_size;

  /* Compiles `test` blocks and documented examples (`## > expression`, `## value`) too: a module
   * that has any exports `__tests__/0`, which gives `[(name, line, fun)]`. */
  bool tests;

  /* The text is an expression or several, as after `quelea -e`: its name gives no module name. */
  bool expression;
} quelea_compile_options;

void quelea_compile_options_init(quelea_compile_options* options);

/* Compiles `length` bytes of source. `name` is what diagnostics and stack traces call the text: a
 * path, or something like "(eval)". Where a path follows the module's name (src/chat/room.qu for
 * `Chat.Room`), `vm` from then on searches its root (src) too, after its other folders. `vm` is
 * asked which modules and functions exist, for warnings and for structs; it may be NULL, then only
 * this text is known. `options` may be NULL for the defaults. Never NULL; loads nothing. Any bytes
 * will do as source: what is no Quelea gets diagnostics. Where memory is short, what is returned is
 * not ok, and its diagnostics say "out of memory". */
quelea_compilation* quelea_compile(quelea_vm* vm, const char* name, const char* text, size_t length,
                                   const quelea_compile_options* options);

/* Gives a compilation's memory back. NULL is fine. */
void quelea_compilation_destroy(quelea_compilation* compilation);

/* True where there are modules to load: no errors (warnings do not count). */
bool quelea_compilation_ok(const quelea_compilation* compilation);

size_t quelea_compilation_error_count(const quelea_compilation* compilation);
size_t quelea_compilation_warning_count(const quelea_compilation* compilation);

/* All diagnostics as text for people, with source lines and carets; "" when there are none. */
const char* quelea_compilation_diagnostics(const quelea_compilation* compilation);

/* The modules in the order in which they are to be loaded; the last is the file's own. */
size_t quelea_compilation_module_count(const quelea_compilation* compilation);
const char* quelea_compilation_module_name(const quelea_compilation* compilation, size_t index);

/* The bytes of a module as they stand in a `.qb` file. */
const uint8_t* quelea_compilation_module_bytes(const quelea_compilation* compilation, size_t index,
                                               size_t* length);

/* The path of a module's file without its suffix, relative to the folder that is searched:
 * "chat/room" for `Chat.Room`. A script's is the name of its file. */
const char* quelea_compilation_module_path(const quelea_compilation* compilation, size_t index);

/* The module that running this file runs: the last one; NULL when the compilation is not ok. */
const char* quelea_compilation_main(const quelea_compilation* compilation);

/* --- Loading -------------------------------------------------------------------------------------
 */

/* Verifies and loads one module. On QUELEA_LOAD_ERROR nothing has changed, and quelea_vm_error says
 * why; nor with QUELEA_NO_MEMORY. `name` says in messages where the bytes came from. */
quelea_status quelea_vm_load(quelea_vm* vm, const char* name, const uint8_t* bytes, size_t length);

/* Loads all modules of a compilation, which any machine may have made; the root that it searches is
 * searched by this one, too. The first that is refused ends it: those before it are loaded. */
quelea_status quelea_vm_load_compilation(quelea_vm* vm, const quelea_compilation* compilation);

/* The name of the module in `length` bytes of a `.qb` file, written to `name` (at most `capacity`
 * bytes with the terminating zero); QUELEA_LOAD_ERROR where they are none. */
quelea_status quelea_module_name(const uint8_t* bytes, size_t length, char* name, size_t capacity);

/* The bytecode as text, to be given to quelea_string_destroy; NULL where the bytes are no module,
 * then `*error`, if `error` is not NULL, is a message to be given to quelea_string_destroy too, or
 * NULL where memory is short. */
char* quelea_disassemble(const uint8_t* bytes, size_t length, char** error);
void quelea_string_destroy(char* text);

/* --- Running -------------------------------------------------------------------------------------
 */

/* Sets what `System.argv()` gives from now on. Copied. */
quelea_status quelea_vm_set_arguments(quelea_vm* vm, const char* const* arguments, size_t count);

/* Runs a loaded module as a program: a script's expressions, or else `main(args)` with the
 * machine's arguments. Returns when the main process has ended; all other processes end with it.
 * `*exit_status` is 0 for a normal end, the number given to System.halt, or 1 for an exception that
 * nothing caught, whose report has been written to fd 2. QUELEA_RAISED goes with status 1,
 * QUELEA_NOT_FOUND where there is nothing to run. QUELEA_NO_MEMORY, with status 1: there was none
 * to begin with, or none for what others wait for, as news of an end; all processes have ended. */
quelea_status quelea_vm_run_main(quelea_vm* vm, const char* module, int* exit_status);

/* Calls `module.function` in a new process and waits for its result. `arguments` is a list in
 * external term format (NULL: no arguments). The result, in the same format, lives until the next
 * call into the machine; `result` and `result_length` may be NULL. QUELEA_NO_MEMORY as above. */
quelea_status quelea_vm_call(quelea_vm* vm, const char* module, const char* function,
                             const uint8_t* arguments, size_t arguments_length,
                             const uint8_t** result, size_t* result_length);

/* Ends what runs as soon as possible: the running call returns QUELEA_INTERRUPTED, once, and the
 * next one runs as ever. One that comes while no call runs ends the next call that runs a process.
 * After an interrupted `quelea_vm_call` the process of that call is killed when the next call
 * begins; others go on then. May be called from any thread and from a signal handler. */
void quelea_vm_interrupt(quelea_vm* vm);

/* What went wrong in the last call that did not return QUELEA_OK; "" when nothing did. Lives until
 * the next call into the machine. */
const char* quelea_vm_error(const quelea_vm* vm);

#ifdef __cplusplus
}
#endif

#endif
