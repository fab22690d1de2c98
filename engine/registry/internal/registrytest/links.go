package registrytest

// LinksToNext are the ways in which a page can name the next one, N, and another, P.
var LinksToNext = map[string][]string{
	"two in one":                  {`<P>; rel="prev", <N>; rel="next"`},
	"two in one, next first":      {`<N>; rel="next", <P>; rel="prev"`},
	"two in one, no space":        {`<P>;rel=prev,<N>;rel=next`},
	"two headers":                 {`<P>; rel="prev"`, `<N>; rel="next"`},
	"unquoted":                    {`<N>; rel=next`},
	"two relations":               {`<N>; rel="next last"`},
	"two relations, next last":    {"<N>; rel=\"last\tnext\""},
	"parameters before":           {`<N>; title="a,b;c"; rel="next"`},
	"parameters behind":           {`<N>; rel="next"; title="a \"b\", <P>; rel=prev"`},
	"rel in a title":              {`<N>; title="rel=prev"; rel="next"`},
	"next in the title of prev":   {`<P>; title="rel=next"; rel="prev", <N>; rel="next"`},
	"next is not nextish":         {`<P>; rel="next-archive http://next", <N>; rel="next"`},
	"the first rel counts":        {`<P>; rel="prev"; rel="next", <N>; rel="next"`},
	"spaces":                      {`  <N> ; rel = "next" `},
	"capitals":                    {`<N>; REL="NEXT"`},
	"no rel":                      {`<N>`},
	"no rel, beside one":          {`<P>, <N>; rel="next"`},
	"no value":                    {`<N>; crossorigin; rel="next"`},
	"an extended parameter":       {`<N>; title*=UTF-8''a%2Cb; rel="next"`},
	"comma in the URL":            {`<N&x=a,b>; rel="next"`},
	"empty elements":              {`, ,<N>; rel="next",,`},
	"empty parameters":            {`<N>;; rel="next";`},
	"an anchor that is elsewhere": {`<P>; rel="next"; anchor="/elsewhere", <N>; rel="next"`},
	"an anchor that is the page":  {`<N>; rel="next"; anchor="#top"`},
}
