package transport

// turn is the permission to send a credential once. Until the credential is accepted,
// one request at a time has it: otherwise all requests that begin at the same moment
// would send a wrong password.
type turn struct {
	gate      chan struct{} // of the account
	version   int           // of the credential
	anonymous bool
	holdsGate bool
}

// end lets the next request send the credential.
func (t *turn) end() {
	if t.holdsGate {
		<-t.gate
		t.holdsGate = false
	}
}
