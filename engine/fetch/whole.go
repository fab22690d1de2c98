package fetch

import "context"

// job is a body and its position in the file.
type job struct {
	i     int
	body  Body
	piece piece
	flow  *flow
	raw   [][]byte // kept to reuse its backing array
}

func (j *job) isWhole() bool { return j.flow.whole }

// whole fetches a body in one piece, within its attempts and the memory that it was
// granted, and passes it to the writer when it is verified.
func (r *run) whole(ctx context.Context, j *job, charge int64) {
	defer r.wg.Done()
	j.piece = piece{body: &j.body, n: j.body.Size}
	var errs error
	attempt := 0
	for ; ; attempt++ {
		err := r.attempt(ctx, j, attempt, charge)
		if err == nil {
			errs = nil
			break
		}
		errs, charge = addAttempt(errs, err), 0
		if attempt+1 >= j.body.attempts() {
			break
		}
	}
	j.flow.finish(attempt, errs)
}

// attempt makes one attempt. The first one adds the charge to the account of the flow,
// where it stays.
func (r *run) attempt(ctx context.Context, j *job, attempt int, charge int64) error {
	raw, err := r.read(ctx, &j.piece, attempt, j.raw[:0])
	if err != nil {
		j.flow.charge(charge, nil)
		return err
	}
	j.raw = raw
	if err = r.encode(j.flow, &j.body, charge, raw, true); err != nil {
		j.flow.discard()
	}
	return err
}
