// Nothing but the headers that all units include (tests/CMakeLists.txt).
