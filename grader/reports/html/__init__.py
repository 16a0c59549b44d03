"""Reports as pages: self-contained, without network, readable without a script.

Whatever comes from outside is escaped by the environment of `page`: templates can't forget it. A
strict Content-Security-Policy names the page's own style and script by their hashes, so that even
markup that slipped through would do nothing.
"""
