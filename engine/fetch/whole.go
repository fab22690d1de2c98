package fetch

import "context"

// job is a body and where it stands in the file.
type job struct {
	i     int
	body  Body
	piece piece
	flow  *flow
	raw   [][]byte // kept with the job for the sake of its backing array
}

func (j *job) isWhole() bool { return j.flow.whole }

// whole fetches a body in one piece, as often as it may be tried, into the
// memory that it was granted once, and leaves it to the writer when it is right.
func (r *run) whole(ctx context.Context, j *job, charge int64) {
	defer r.wg.Done()
	j.piece = piece{body: &j.body, n: j.body.Size}
	var trouble error
	attempt := 0
	for ; ; attempt++ {
		err := r.once(ctx, j, attempt, charge)
		if err == nil {
			trouble = nil
			break
		}
		trouble, charge = also(trouble, err), 0
		if attempt+1 >= j.body.attempts() {
			break
		}
	}
	j.flow.finish(attempt, trouble)
}

// once makes one attempt. The charge goes into the account of the flow with the
// first one, and stays there.
func (r *run) once(ctx context.Context, j *job, attempt int, charge int64) error {
	raw, err := r.read(ctx, &j.piece, attempt, j.raw[:0])
	if err != nil {
		j.flow.take(charge, nil)
		return err
	}
	j.raw = raw
	if err = r.encode(j.flow, &j.body, charge, raw, true); err != nil {
		j.flow.discard()
	}
	return err
}
