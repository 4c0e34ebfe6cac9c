function findRisingEdges(file, statsFile, out, threshold)
%FINDRISINGEDGES  Where a signal rises to a high value, as a JSON list.
%   findRisingEdges(file, statsFile, out)
%   findRisingEdges(file, statsFile, out, threshold)
%   A sample is high from min + threshold * (max - min) on; threshold is 0.75 if not
%   given, min and max are read from the file that computeStats wrote. An edge is the
%   first high sample after one that is not high, counted from 0 as Python does.
    if nargin < 4
        threshold = 0.75;
    end
    signal = double(readBytes(file));
    stats = jsondecode(char(readBytes(statsFile)'));
    high = stats.min + threshold * (stats.max - stats.min);
    if isempty(signal)
        edges = [];
    else
        % The number of the sample before an edge, counted from 1, is that of the edge, from 0.
        edges = find(signal(1:end-1) < high & signal(2:end) >= high);
    end
    if isempty(edges)
        text = '[]';
    else
        text = sprintf('%d, ', edges);
        text = ['[', text(1:end-2), ']'];
    end
    writeBytes(out, [text, newline]);
end
