/* Linked into the sanitizer's programs only: modules that MPI loads stay mapped to the end, so that LeakSanitizer can
 * name the library behind each of their leaks, and tests/lsan.supp can leave them out. */
int dlclose(void *handle);

int dlclose(void *handle)
{
    (void)handle;
    return 0;
}
