"""Types that need `typing`; boards have none, so here they are None and shapes.pyi says what they
mean."""

Any_ = None
Config = None
Event = None
Entry = None
Items = None
Tree = None
Rand = None
Free = None
Count = None
Table = None
Found = None
Names = None
Make = None
MaybeEvent = None
MaybeTree = None
Route = None
Clock = None
NextEvent = None
Performers = None
Watch = None
