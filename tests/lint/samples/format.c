/* A sample that clang-format must refuse. */
int f( int a ){ if(a) return 1 ; else { return 2; } }
