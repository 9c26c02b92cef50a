package gateway

import "net/http"

// authorize has the request that c describes judged. Unless it may pass, the
// answer has been written. What the authorizer hands on is then in c.
func (g *Gateway) authorize(w http.ResponseWriter, r *http.Request, by *Judge, c *call, x *Exchange) bool {
	if err := g.ready(r.Context(), by.Function); !by.Native() && err != nil {
		x.By = by.Function
		g.refuse(w, x, http.StatusInternalServerError, err.Error())
		return false
	}
	judged := by.judge(r.Context(), c)
	if judged.Asked {
		x.By = "authorizer"
	}
	x.Cached, x.Err = judged.Cached, judged.Err
	if judged.Status != http.StatusOK {
		if judged.challenge != "" {
			w.Header().Set("WWW-Authenticate", judged.challenge)
		}
		g.refuse(w, x, judged.Status, judged.Reason)
		return false
	}
	c.RequestContext.Authorizer = &authorized{Lambda: &judged.Context}
	if judged.jwt != nil {
		c.RequestContext.Authorizer = &authorized{JWT: judged.jwt}
	}
	return true
}
