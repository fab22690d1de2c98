package engine

// countOpen counts what has to settle before anything can be said of each artifact,
// itself and what cosign attached to it, and tells it of those for which all has settled.
func (r *restore) countOpen() {
	for _, d := range r.all {
		if d.parent != nil {
			d.parent.open, d.open = d.parent.open+1+d.open, 0
		}
	}
	for _, d := range r.all {
		if d.parent != nil {
			continue
		}
		if d.open++; d.open == 0 {
			r.tell(d)
		}
	}
}

// conclude notes that a delivery has settled, and says what became of its artifact if
// that was the last of it.
func (r *restore) conclude(d *delivery) {
	if d.parent != nil {
		d = d.parent
	}
	r.mu.Lock()
	d.open--
	last := d.open == 0
	r.mu.Unlock()
	if last {
		r.tell(d)
	}
}

func (r *restore) tell(d *delivery) {
	if one := d.whole(); one.Err == nil {
		r.Progress.Finished(one)
	} else {
		r.Progress.Failed(one)
	}
}
