// Package e2e runs the program as a user does, against real registries: processes of
// distribution's registry on loopback, filled by oras and by testregistry's Seeder,
// walked afterwards and compared. What needs a fault or a count runs against
// testregistry in this process.
//
// The tools come from .tools, which `make tools` fills; without them a test is
// skipped, and fails where CI is set. RACE=1 builds the program with the race
// detector.
package e2e
